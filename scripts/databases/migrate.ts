import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { D1Database } from "@cloudflare/workers-types";
import { getPlatformProxy, unstable_readConfig as readConfig } from "wrangler";
import { root, type WorkerConfig, workers } from "../workers.ts";

/** Hash of all that decides what the databases look like: migrations and the gazetteer's source. */
function fingerprint(): string {
  const hash = createHash("sha256");
  const folder = join(root, "migrations");
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort())
    if (file.endsWith(".sql")) hash.update(file).update(readFileSync(join(folder, file)));
  hash.update(readFileSync(join(root, "scripts/databases/cities.ts")));
  return hash.digest("hex");
}

const databaseOwners = workers.filter((place) => place.database !== null);

/** A configuration that binds every database under its worker's name: one local process then migrates them all. */
function writeDatabasesConfig(stateDir: string): string {
  const configs = databaseOwners.map(({ name, config }) => ({
    worker: name,
    ...readConfig({ config: join(root, config) }),
  }));
  const file = join(stateDir, "databases.json");
  writeFileSync(
    file,
    JSON.stringify({
      name: "vicinity-databases",
      compatibility_date: configs[0].compatibility_date,
      d1_databases: configs.map(({ worker, d1_databases: [database] }) => ({
        binding: worker,
        database_name: database.database_name,
        database_id: database.database_id,
      })),
    }),
  );
  return file;
}

// The table by which `wrangler d1 migrations` knows what was applied: either may go on where the other left.
const appliedTable = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`;

/** Applies the migrations of one worker that are not yet applied, each in one transaction. */
async function migrateDatabase(database: D1Database, { name: worker }: WorkerConfig): Promise<void> {
  await database.prepare(appliedTable).run();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  const folder = join(root, "migrations", worker);
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith(".sql") || applied.has(file)) continue;
    const statements = readFileSync(join(folder, file), "utf8").split("--> statement-breakpoint");
    await database.batch([
      ...statements.map((statement) => database.prepare(statement)),
      database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(file),
    ]);
  }
}

async function seedCities(database: D1Database): Promise<void> {
  const { citySeedStatements } = await import("./cities.ts");
  for (const statement of citySeedStatements()) await database.prepare(statement).run();
}

/**
 * Brings the local databases up to date and fills the gazetteer. Does nothing where the state says that it
 * was done for exactly these migrations. Answers whether there was anything to do.
 */
export async function migrateLocalDatabases(stateDir: string): Promise<boolean> {
  mkdirSync(stateDir, { recursive: true });
  const stamp = join(stateDir, "migrated");
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return false;
  const { env, dispose } = await getPlatformProxy<Record<string, D1Database>>({
    configPath: writeDatabasesConfig(stateDir),
    persist: { path: join(stateDir, "v3") },
    remoteBindings: false,
  });
  try {
    for (const place of databaseOwners) await migrateDatabase(env[place.name], place);
    await seedCities(env.location);
  } finally {
    await dispose();
  }
  writeFileSync(stamp, wanted);
  return true;
}
