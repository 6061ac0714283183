import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { BuildRecord, BuiltWorker } from "../../scripts/build/built-worker.ts";
import { releaseBefore } from "../../scripts/deploy/release-before.ts";
import { root } from "../../scripts/workers.ts";

/** Returns whether the clone has the commit of the release before. A shallow clone has not. */
export const hasReleaseBefore = (): boolean =>
  spawnSync("git", ["cat-file", "-e", `${releaseBefore.commit}^{commit}`], { cwd: root }).status === 0;

/** Writes the files of the release before into a folder, with the packages of this one. */
export function checkOutReleaseBefore(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const files = execFileSync("git", ["archive", releaseBefore.commit], { cwd: root, maxBuffer: 2 ** 30 });
  execFileSync("tar", ["-x", "-C", folder], { input: files });
  if (!existsSync(join(folder, "node_modules")))
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
}

/** Runs TypeScript in the folder of the release before, with the code that is there. */
export function runInRelease(folder: string, code: string): void {
  execFileSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Builds the workers of the release before in its folder. Returns them by name. */
export function buildReleaseBefore(folder: string): Map<string, BuiltWorker> {
  runInRelease(
    folder,
    'import { buildWorkers } from "./scripts/build/build-workers.ts"; await buildWorkers(() => undefined);',
  );
  const built = join(folder, ".wrangler/built");
  return new Map(
    readdirSync(built).map((name) => {
      const record: BuildRecord = JSON.parse(readFileSync(join(built, name, "build.json"), "utf8"));
      return [name, { name, folder: join(built, name), options: record.options }];
    }),
  );
}
