import { drizzle } from "drizzle-orm/d1";
import { hash53 } from "../../model/columns/hash.ts";

const bindingName = /^DB(?:_(\d+))?$/;
const databaseNumber = (binding: string): number => Number(bindingName.exec(binding)?.[1] ?? 0);

/**
 * Returns the databases that users are spread over: the bindings `DB`, `DB_1`, `DB_2`, ... in this order. A new binding
 * assigns users to other databases, so move the users' rows before you deploy it.
 */
export const userDatabases = (env: UserEnv): D1Database[] =>
  Object.entries({ ...env })
    .filter(([name]) => bindingName.test(name))
    .sort(([a], [b]) => databaseNumber(a) - databaseNumber(b))
    .map(([, database]) => database as D1Database);

/** Returns the database that holds a user's rows, by a hash of the application and the user. */
export const databaseOfUser = (databases: D1Database[], application: string, userId: string): D1Database =>
  databases[hash53(`${application}:${userId}`) % databases.length];

/** Returns the drizzle client of a database. */
export const openDatabase = (database: D1Database) => drizzle(database);
export type Database = ReturnType<typeof openDatabase>;
