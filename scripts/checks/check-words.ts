// Fails if an identifier, a document or a comment uses a retired word: see retired-words.ts.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../workers.ts";
import { findRetiredWords } from "./find-retired-words.ts";

/** Generated files, SQL that has run, and the list of retired words itself. */
const exempt = /worker-configuration\.d\.ts$|^model\/onnx\/generated\/|^migrations\/|^scripts\/checks\//;

const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((file) => /\.(ts|mjs|js|md|html)$/.test(file) && !exempt.test(file))
  // A file that is deleted and not yet committed is still listed.
  .filter((file) => existsSync(join(root, file)));

let found = 0;
for (const file of files)
  for (const { line, word, say } of findRetiredWords(file, readFileSync(join(root, file), "utf8"))) {
    found++;
    console.error(`${file}:${line}: "${word}" is a retired word. Say: ${say}`);
  }
process.exit(found === 0 ? 0 : 1);
