// `npm run check`: checks lint, types, generated files, words and sentences. Prints the output of each failed check.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./workers.ts";

const bin = (name: string, ...args: string[]): string[] => [join(root, "node_modules/.bin", name), ...args];
const script = (path: string, ...args: string[]): string[] => [
  process.execPath,
  join(root, "scripts", path),
  ...args,
];

const steps: readonly { name: string; command: string[] }[] = [
  {
    name: "lint, format and direction of imports",
    command: bin("biome", "check", "--error-on-warnings", "."),
  },
  { name: "types of workers and model", command: bin("tsc", "--noEmit") },
  { name: "types of scripts and tests", command: bin("tsc", "--noEmit", "-p", "tsconfig.node.json") },
  { name: "generated binding types are current", command: script("generate/types.ts", "--check") },
  { name: "migrations follow the schemas", command: script("generate/migrations.ts", "--check") },
  { name: "ER diagram follows the schemas", command: script("generate/er-diagram.ts", "--check") },
  { name: "no retired word is used", command: script("checks/check-words.ts") },
  {
    name: "sentences of documents are short, their paths exist",
    command: script("checks/check-sentences.ts"),
  },
];

let failed = 0;
for (const { name, command } of steps) {
  const started = Date.now();
  const [program, ...args] = command;
  const run = spawnSync(program, args, { cwd: root, encoding: "utf8" });
  const passed = run.status === 0;
  console.log(`${passed ? "✓" : "✗"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (!passed) {
    failed++;
    console.error(`${run.stdout}${run.stderr}`.trim());
  }
}
process.exit(failed === 0 ? 0 : 1);
