import { drizzle } from "drizzle-orm/d1";
import * as schema from "./schema.ts";

/** Where a person's rows live. One database today; sharding is a change of this function alone. */
export const databaseOf = (env: { DB: D1Database }, _application: string, _person: string): D1Database =>
  env.DB;

/** Every database, for what spans people (totals, lists). */
export const allDatabases = (env: { DB: D1Database }): D1Database[] => [env.DB];

/** drizzle over one database. */
export const open = (database: D1Database) => drizzle(database, { schema });
export type Database = ReturnType<typeof open>;
