// Writes the SQL that brings `migrations/<service>` to where `workers/<service>/schema.ts` is.
// `--check` fails where there would be something to write.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { root, workers } from "../workers.ts";

const check = process.argv.includes("--check");

/** Runs drizzle-kit for one service with its migrations in `folder`. */
function generate(service: string, folder: string): void {
  const run = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/drizzle-kit/bin.cjs"),
      "generate",
      "--dialect=sqlite",
      `--schema=workers/${service}/schema.ts`,
      `--out=${relative(root, folder)}`,
    ],
    { cwd: root, encoding: "utf8" },
  );
  if (run.status !== 0) throw new Error(`drizzle-kit failed for ${service}:\n${run.stdout}${run.stderr}`);
}

const sqlFiles = (folder: string): string[] => readdirSync(folder).filter((file) => file.endsWith(".sql"));

let stale = 0;
for (const { name, database } of workers) {
  if (!database) continue;
  const folder = join(root, "migrations", name);
  if (!check) {
    generate(name, folder);
    continue;
  }
  // drizzle-kit takes a folder relative to the project only.
  const copy = mkdtempSync(join(root, "node_modules/.migrations-"));
  try {
    cpSync(folder, copy, { recursive: true });
    generate(name, copy);
    const added = sqlFiles(copy).length - sqlFiles(folder).length;
    if (added > 0) {
      stale++;
      console.error(`workers/${name}/schema.ts has changes without a migration: run "npm run migrations".`);
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
}
process.exit(stale === 0 ? 0 : 1);
