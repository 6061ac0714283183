// `npm run migrations`: writes the SQL migrations in `migrations/<worker>` that `workers/<worker>/schema.ts` needs and
// that are missing. `--check` changes no file and fails if a migration is missing.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { root, workers } from "../workers.ts";

const check = process.argv.includes("--check");

/** Runs drizzle-kit for one worker, whose migrations are in `folder`. */
function generateMigrations(worker: string, folder: string): void {
  const run = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/drizzle-kit/bin.cjs"),
      "generate",
      "--dialect=sqlite",
      `--schema=workers/${worker}/schema.ts`,
      `--out=${relative(root, folder)}`,
    ],
    { cwd: root, encoding: "utf8" },
  );
  if (run.status !== 0) throw new Error(`drizzle-kit failed for ${worker}:\n${run.stdout}${run.stderr}`);
}

const sqlFiles = (folder: string): string[] => readdirSync(folder).filter((file) => file.endsWith(".sql"));

let outdated = 0;
for (const { name, database } of workers) {
  if (!database) continue;
  const folder = join(root, "migrations", name);
  if (!check) {
    generateMigrations(name, folder);
    continue;
  }
  // Copy into the project: drizzle-kit accepts only a folder below the current one.
  const copy = mkdtempSync(join(root, "node_modules/.migrations-"));
  try {
    cpSync(folder, copy, { recursive: true });
    generateMigrations(name, copy);
    const added = sqlFiles(copy).length - sqlFiles(folder).length;
    if (added > 0) {
      outdated++;
      console.error(`workers/${name}/schema.ts has changes without a migration. Run npm run migrations.`);
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
}
process.exit(outdated === 0 ? 0 : 1);
