/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";

interface Bindings {
  DB: D1Database;
  MIGRATIONS: D1Migration[];
}
const bindings = env as unknown as Bindings;

/** The trainer's database. */
export const database = bindings.DB;

/** Creates the tables of the trainer. */
export const migrateDatabase = (): Promise<void> => applyD1Migrations(database, bindings.MIGRATIONS);
