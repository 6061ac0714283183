// Types, lint, format and generated files: what must hold before anything lands.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./workers.ts";

const bin = (name: string): string => join(root, "node_modules/.bin", name);
const steps: [string, string, string[]][] = [
  ["lint and format", bin("biome"), ["check", "--error-on-warnings", "."]],
  ["types of workers and model", bin("tsc"), ["--noEmit"]],
  ["types of scripts and commands", bin("tsc"), ["--noEmit", "-p", "tsconfig.node.json"]],
  ["generated binding types", process.execPath, [join(root, "scripts/generate/types.ts"), "--check"]],
  ["migrations follow the schemas", process.execPath, [join(root, "scripts/generate/migrations.ts"), "--check"]],
  ["ER diagram follows the schemas", process.execPath, [join(root, "scripts/generate/er-diagram.ts"), "--check"]],
];

let failed = 0;
for (const [name, command, args] of steps) {
  const started = Date.now();
  const run = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  const good = run.status === 0;
  console.log(`${good ? "✓" : "✗"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (!good) {
    failed++;
    console.error(`${run.stdout}${run.stderr}`.trim());
  }
}
process.exit(failed === 0 ? 0 : 1);
