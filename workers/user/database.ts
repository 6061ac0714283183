import { drizzle } from "drizzle-orm/d1";
import { hash53 } from "../../model/columns/hash.ts";

const bindingName = /^DB(?:_(\d+))?$/;
const databaseNumber = (binding: string): number => Number(bindingName.exec(binding)?.[1] ?? 0);

/**
 * The databases that people are spread over: bindings `DB`, `DB_1`, `DB_2`, ... in this order. One more binding is one
 * more database; it moves people, so their rows have to be moved before it is deployed.
 */
export const userDatabases = (env: UserEnv): D1Database[] =>
  Object.entries({ ...env })
    .filter(([name]) => bindingName.test(name))
    .sort(([a], [b]) => databaseNumber(a) - databaseNumber(b))
    .map(([, database]) => database);

/** The database that holds a person's rows, chosen by a hash of the application and the person. */
export const databaseOfUser = (databases: D1Database[], application: string, userId: string): D1Database =>
  databases[hash53(`${application}:${userId}`) % databases.length];

/** drizzle over one database. */
export const openDatabase = (database: D1Database) => drizzle(database);
export type Database = ReturnType<typeof openDatabase>;
