import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, type WorkerPlace, workers } from "./workers.ts";
import { runWrangler } from "./wrangler.ts";

/** Hash of all that decides what the databases look like: migrations and the gazetteer's source. */
function fingerprint(): string {
  const hash = createHash("sha256");
  const folder = join(root, "migrations");
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort())
    if (file.endsWith(".sql")) hash.update(file).update(readFileSync(join(folder, file)));
  hash.update(readFileSync(join(root, "scripts/cities.ts")));
  return hash.digest("hex");
}

const local = (stateDir: string): string[] => ["--local", "--persist-to", stateDir];

async function must(args: string[]): Promise<void> {
  const { code, output } = await runWrangler(args);
  if (code !== 0) throw new Error(`wrangler ${args.slice(0, 4).join(" ")} failed:\n${output.trim()}`);
}

async function migrateDatabase(place: WorkerPlace, stateDir: string): Promise<void> {
  if (place.database)
    await must(["d1", "migrations", "apply", place.database, "-c", place.config, ...local(stateDir)]);
}

async function seedCities(stateDir: string): Promise<void> {
  const { citySeedStatements } = await import("./cities.ts");
  const file = join(stateDir, "cities.sql");
  writeFileSync(file, citySeedStatements().join("\n"));
  await must([
    "d1",
    "execute",
    "vicinity-location",
    "-c",
    "workers/location/wrangler.toml",
    "--file",
    file,
    "--yes",
    ...local(stateDir),
  ]);
}

/**
 * Brings the local databases up to date and fills the gazetteer. Does nothing where the state says that it
 * was done for exactly these migrations. Answers whether there was anything to do.
 */
export async function migrate(stateDir: string): Promise<boolean> {
  mkdirSync(stateDir, { recursive: true });
  const stamp = join(stateDir, "migrated");
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return false;
  // All databases share one local store, which takes one process at a time.
  for (const place of workers) await migrateDatabase(place, stateDir);
  await seedCities(stateDir);
  writeFileSync(stamp, wanted);
  return true;
}
