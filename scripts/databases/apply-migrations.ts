// Applies all migrations to the databases of a state directory, fills the `cities` table and writes the state's marker.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { D1Database } from "@cloudflare/workers-types";
import { getPlatformProxy, unstable_readConfig as readConfig } from "wrangler";
import { developmentMarker } from "../start/state-secrets.ts";
import { root, type WorkerConfig, workers } from "../workers.ts";
import { citySeedStatements } from "./cities.ts";

const databaseOwners = workers.filter(({ database }) => database !== null);

/**
 * Writes a wrangler configuration that binds each worker's database under the worker's name, so that one local process
 * can migrate all of them. Returns the file's path.
 */
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

/** Table in which `wrangler d1 migrations` records what it has applied, so that both tools can be mixed. */
const createAppliedTable = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`;

/** Applies one worker's outstanding migrations, each in one transaction. */
async function migrateDatabase(database: D1Database, { name: worker }: WorkerConfig): Promise<void> {
  await database.prepare(createAppliedTable).run();
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
  for (const statement of citySeedStatements()) await database.prepare(statement).run();
}

/** Writes the marker of the local state, without which the gateway accepts no development key. */
async function writeMarker(database: D1Database, marker: string): Promise<void> {
  await database.batch([
    database.prepare("DELETE FROM development_markers"),
    database.prepare("INSERT INTO development_markers VALUES (?)").bind(marker),
  ]);
}

const [stateDir] = process.argv.slice(2);
const { env, dispose } = await getPlatformProxy<Record<string, D1Database>>({
  configPath: writeDatabasesConfig(stateDir),
  persist: { path: join(stateDir, "v3") },
  remoteBindings: false,
});
try {
  for (const worker of databaseOwners) await migrateDatabase(env[worker.name], worker);
  await seedCities(env.location);
  await writeMarker(env.gateway, developmentMarker(stateDir));
} finally {
  await dispose();
}
