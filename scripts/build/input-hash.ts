import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../workers.ts";

/** Folder whose files a bundle imports as bytes. esbuild's list of inputs leaves such modules out. */
const moduleFolder = "model/artifacts";

/** Files that decide what every bundle is: the installed packages, with their versions, and the compiler's options. */
const commonInputs = ["node_modules/.package-lock.json", "tsconfig.json", "tsconfig.base.json"];

/**
 * Returns the hash of everything that decides a worker's bundle: its configuration, its source files, the modules it may
 * import as bytes, and the installed packages. Returns null if one of the files does not exist any more.
 */
export function hashOfInputs(config: string, inputs: readonly string[]): string | null {
  const modules = readdirSync(join(root, moduleFolder)).map((name) => join(moduleFolder, name));
  const hash = createHash("sha256");
  try {
    for (const file of [config, ...commonInputs, ...modules.sort(), ...inputs])
      hash.update(`${file}\n`).update(
        createHash("sha256")
          .update(readFileSync(join(root, file)))
          .digest(),
      );
  } catch {
    return null;
  }
  return hash.digest("hex");
}
