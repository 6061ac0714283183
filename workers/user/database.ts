import { drizzle } from "drizzle-orm/d1";

const bindingName = /^DB(?:_(\d+))?$/;
const databaseNumber = (binding: string): number => Number(bindingName.exec(binding)?.[1] ?? 0);

/**
 * Returns the databases that users are spread over: the bindings `DB`, `DB_1`, `DB_2`, ... in this order. A new database
 * gets users by moves of buckets (`buckets/move-bucket.ts`).
 */
export const userDatabases = (env: UserEnv): D1Database[] =>
  Object.entries({ ...env })
    .filter(([name]) => bindingName.test(name))
    .sort(([a], [b]) => databaseNumber(a) - databaseNumber(b))
    .map(([, database]) => database as D1Database);

/** Returns the drizzle client of a database. */
export const openDatabase = (database: D1Database) => drizzle(database);
export type Database = ReturnType<typeof openDatabase>;
