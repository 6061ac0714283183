import { drizzle } from "drizzle-orm/d1";

const bindingName = /^DB(?:_(\d+))?$/;
const databaseNumber = (binding: string): number => Number(bindingName.exec(binding)?.[1] ?? 0);

/** Returns the bindings of the databases that users are spread over: `DB`, `DB_1`, `DB_2`, ... in this order. */
export const userDatabaseNames = (env: UserEnv): string[] =>
  Object.keys({ ...env })
    .filter((name) => bindingName.test(name))
    .sort((a, b) => databaseNumber(a) - databaseNumber(b));

/**
 * Returns the databases of {@link userDatabaseNames}, in the same order. A new database gets users by moves of buckets
 * (`buckets/move-bucket.ts`).
 */
export const userDatabases = (env: UserEnv): D1Database[] =>
  userDatabaseNames(env).map((name) => ({ ...env })[name as "DB"]);

/** Returns the drizzle client of a database. */
export const openDatabase = (database: D1Database) => drizzle(database);
export type Database = ReturnType<typeof openDatabase>;
