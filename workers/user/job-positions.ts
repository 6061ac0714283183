// Positions of jobs that read a table in pages, and marks, in the table `user_storage` of each database.

/** Jobs that read tables of one database in pages, in turn with other work. */
export type JobName = "expire interactions" | "compact hours" | "number profiles" | "number visits";

/** Returns the value of a name in a database; null if there is none. */
export const readValue = (database: D1Database, name: string): Promise<string | null> =>
  database.prepare("SELECT value FROM user_storage WHERE name = ?1").bind(name).first<string>("value");

/** Returns the statement that stores a value. */
export const storeValue = (database: D1Database, name: string, value: string): D1PreparedStatement =>
  database
    .prepare(
      "INSERT INTO user_storage (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
    )
    .bind(name, value);

/** Returns the statement that forgets a value. */
export const deleteValue = (database: D1Database, name: string): D1PreparedStatement =>
  database.prepare("DELETE FROM user_storage WHERE name = ?1").bind(name);

/**
 * Name of the value that says before which time interactions may be missing, in milliseconds since the Unix epoch: the
 * latest limit of retention so far. A recount keeps the totals of earlier hours.
 */
export const expiredBeforeName = "expired_before";

/** Returns the statement that stores that interactions before a time (in milliseconds) may be missing. */
export const storeExpiredBefore = (database: D1Database, milliseconds: number): D1PreparedStatement =>
  database
    .prepare(
      `INSERT INTO user_storage (name, value) VALUES ('${expiredBeforeName}', ?1)
       ON CONFLICT DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))`,
    )
    .bind(String(Math.floor(milliseconds)));
