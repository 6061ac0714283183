import { readableIdSql, storedIdSql } from "../compact-columns.ts";
import type { NumberRange } from "./user-buckets.ts";

// The tables whose rows belong to users, and how a move reads, writes and follows them. A row is copied as it is: the
// number of a user is the same in each database.

type Value = string | number | null;
/** A row as a move reads it: its columns, ids in a form that JSON can hold. */
export type MovedRow = Record<string, Value>;

/** A table of users' rows. */
export interface BucketTable {
  name: string;
  /** Columns of the primary key, by which a change names a row. */
  key: readonly string[];
  /** All columns, in the order of the table. */
  columns: readonly string[];
  /** Columns that hold ids as text or bytes. */
  ids: readonly string[];
  /** Order in which a move reads the rows: columns of the query that `page` returns. */
  order: readonly string[];
  /**
   * Rows of the table `t` after a position: FROM and WHERE of a query. Parameters 1 and 2 are the first and the last
   * number of the bucket, 3 the bucket, 4 and 5 the position.
   */
  page: string;
  /** SQL condition of a trigger: the row `NEW` or `OLD` belongs to the bucket. */
  isOf: (row: string, range: NumberRange, bucket: number) => string;
}

/** SQL condition: a row with application and user id belongs to a user whose number is in a range. */
const hasNumberIn = (row: string, { first, last }: NumberRange): string =>
  `EXISTS (SELECT 1 FROM user_numbers n WHERE n.application = ${row}.application AND n.user_id = ${row}.user_id AND n.number BETWEEN ${first} AND ${last})`;

const ofNumber =
  (column: string) =>
  (row: string, { first, last }: NumberRange): string =>
    `${row}.${column} BETWEEN ${first} AND ${last}`;

/** The tables in the order in which a move copies them. */
export const bucketTables: readonly BucketTable[] = [
  {
    name: "user_numbers",
    key: ["number"],
    columns: ["number", "application", "user_id"],
    ids: [],
    order: ["number"],
    page: "FROM user_numbers t WHERE t.number BETWEEN max(?1, coalesce(?4 + 1, ?1)) AND ?2",
    isOf: ofNumber("number"),
  },
  {
    name: "users",
    key: ["application", "user_id"],
    columns: [
      ...["application", "user_id", "home_lat", "home_lon", "precision", "attributes", "settings_version"],
      ...["created_at", "updated_at", "approximate_before", "city_before", "none_before"],
    ],
    ids: [],
    order: ["number"],
    page: `FROM user_numbers n CROSS JOIN users t ON t.application = n.application AND t.user_id = n.user_id
      WHERE n.number BETWEEN max(?1, coalesce(?4 + 1, ?1)) AND ?2`,
    isOf: hasNumberIn,
  },
  {
    name: "recent_interactions",
    key: ["user", "id"],
    columns: [
      "user",
      "id",
      "time",
      "marks",
      "product",
      "lat",
      "lon",
      "recommendation",
      "copied_from",
      "worth",
    ],
    ids: ["id", "product", "recommendation"],
    order: ["user", "id"],
    page: `FROM recent_interactions t
      WHERE t.user <= ?2 AND (t.user, t.id) > (coalesce(?4, ?1 - 1), coalesce(${storedIdSql("?5")}, ''))`,
    isOf: ofNumber("user"),
  },
  {
    name: "user_locations",
    key: ["application", "user_id", "seq"],
    columns: ["application", "user_id", "seq", "lat", "lon", "precision", "time"],
    ids: [],
    order: ["number", "seq"],
    page: `FROM user_numbers n CROSS JOIN user_locations t ON t.application = n.application AND t.user_id = n.user_id
      WHERE n.number BETWEEN coalesce(?4, ?1) AND ?2 AND (?4 IS NULL OR (n.number, t.seq) > (?4, ?5))`,
    isOf: hasNumberIn,
  },
  {
    name: "erasures",
    key: ["application", "pseudonym"],
    columns: ["application", "pseudonym", "generation", "merged_generation", "erased_at", "bucket"],
    ids: [],
    order: ["application", "pseudonym"],
    // Tombstones of earlier versions name no bucket, and are copied with each.
    page: `FROM erasures t WHERE (t.application, t.pseudonym) > (coalesce(?4, ''), coalesce(?5, ''))
      AND coalesce(t.bucket, ?3) = ?3`,
    isOf: (row, _range, bucket) => `coalesce(${row}.bucket, ${bucket}) = ${bucket}`,
  },
];

/** SQL: the columns of a row `t`, with its ids in a form that JSON can hold. */
export const readColumnsSql = ({ columns, ids }: BucketTable): string =>
  columns
    .map((name) => `${ids.includes(name) ? readableIdSql(`t.${name}`) : `t."${name}"`} AS "${name}"`)
    .join(", ");

/** SQL: the value of a column of row `j` of a JSON list, as the table has it. */
const listedSql = ({ ids }: BucketTable, name: string): string =>
  ids.includes(name) ? storedIdSql(`j.value ->> '${name}'`) : `j.value ->> '${name}'`;

/** SQL: writes the rows of a JSON list (parameter 1), in place of those with their keys. */
export const writeRowsSql = (table: BucketTable): string => {
  const names = table.columns.map((name) => `"${name}"`).join(", ");
  const values = table.columns.map((name) => listedSql(table, name)).join(", ");
  if (table.name !== "erasures")
    return `INSERT OR REPLACE INTO ${table.name} (${names}) SELECT ${values} FROM json_each(?1) j`;
  // The new owner may have a later tombstone.
  return `INSERT INTO erasures (${names}) SELECT ${values} FROM json_each(?1) j WHERE true
    ON CONFLICT DO UPDATE SET generation = max(generation, excluded.generation),
      merged_generation = max(merged_generation, excluded.merged_generation),
      erased_at = max(erased_at, excluded.erased_at), bucket = excluded.bucket`;
};

/** SQL: deletes the rows whose keys are in a JSON list (parameter 1). */
export const deleteRowsSql = (table: BucketTable): string =>
  `DELETE FROM ${table.name} WHERE (${table.key.join(", ")}) IN (
     SELECT ${table.key.map((name) => listedSql(table, name)).join(", ")} FROM json_each(?1) j)`;

/**
 * SQL: the first changes of a table (parameter 1: the bucket, 2: how many), each with the row as it is now. Column `change`
 * numbers the change, `found` is 0 for a row that was deleted, and `key_0`, `key_1`, ... are its key.
 */
export function changedRowsSql(table: BucketTable): string {
  const keyOf = (i: number, name: string): string =>
    table.ids.includes(name) ? storedIdSql(`c.key ->> ${i}`) : `c.key ->> ${i}`;
  const on = table.key.map((name, i) => `t."${name}" = ${keyOf(i, name)}`).join(" AND ");
  const keys = table.key.map((_, i) => `c.key ->> ${i} AS key_${i}`).join(", ");
  return `SELECT c.seq AS change, t."${table.key[0]}" IS NOT NULL AS found, ${keys}, ${readColumnsSql(table)}
    FROM bucket_changes c LEFT JOIN ${table.name} t ON ${on}
    WHERE c.bucket = ?1 AND c.changed_table = '${table.name}' ORDER BY c.seq LIMIT ?2`;
}

const operations = [
  { operation: "INSERT", row: "NEW" },
  { operation: "UPDATE", row: "NEW" },
  { operation: "DELETE", row: "OLD" },
];

const triggerName = (bucket: number, table: string, operation: string): string =>
  `moving_${bucket}_${table}_${operation.toLowerCase()}`;

/**
 * Returns statements that make the triggers that store the changes of a bucket in `bucket_changes`. The mover makes them,
 * not a migration, so that nothing follows changes while no bucket moves.
 */
export const createTriggersSql = (bucket: number, range: NumberRange): string[] =>
  bucketTables.flatMap((table) =>
    operations.map(({ operation, row }) => {
      const key = table.key.map((name) =>
        table.ids.includes(name) ? readableIdSql(`${row}.${name}`) : `${row}.${name}`,
      );
      // On one line: the interfaces of D1 split scripts at the ends of lines in different ways.
      return [
        `CREATE TRIGGER IF NOT EXISTS ${triggerName(bucket, table.name, operation)} AFTER ${operation} ON ${table.name}`,
        `WHEN ${table.isOf(row, range, bucket)} BEGIN`,
        `INSERT INTO bucket_changes (bucket, changed_table, key) VALUES (${bucket}, '${table.name}', json_array(${key.join(", ")}));`,
        "END",
      ].join(" ");
    }),
  );

/** Returns statements that remove the triggers of {@link createTriggersSql}. */
export const dropTriggersSql = (bucket: number): string[] =>
  bucketTables.flatMap(({ name }) =>
    operations.map(({ operation }) => `DROP TRIGGER IF EXISTS ${triggerName(bucket, name, operation)}`),
  );

/**
 * SQL: statements that delete some rows of a bucket (parameters 1 and 2: first and last number, 3: how many) from a
 * database that does not own it. The numbers are last: the other rows are found by them. Tombstones stay.
 */
export const clearBucketSql: readonly string[] = [
  `DELETE FROM user_locations WHERE (application, user_id, seq) IN (
     SELECT t.application, t.user_id, t.seq FROM user_numbers n CROSS JOIN user_locations t
       ON t.application = n.application AND t.user_id = n.user_id WHERE n.number BETWEEN ?1 AND ?2 LIMIT ?3)`,
  `DELETE FROM users WHERE (application, user_id) IN (
     SELECT t.application, t.user_id FROM user_numbers n CROSS JOIN users t
       ON t.application = n.application AND t.user_id = n.user_id WHERE n.number BETWEEN ?1 AND ?2 LIMIT ?3)`,
  `DELETE FROM recent_interactions WHERE (user, id) IN (
     SELECT t.user, t.id FROM recent_interactions t WHERE t.user BETWEEN ?1 AND ?2 LIMIT ?3)`,
  `DELETE FROM user_numbers WHERE number IN (
     SELECT t.number FROM user_numbers t WHERE t.number BETWEEN ?1 AND ?2
       AND NOT EXISTS (SELECT 1 FROM user_locations l WHERE l.application = t.application AND l.user_id = t.user_id)
       AND NOT EXISTS (SELECT 1 FROM users u WHERE u.application = t.application AND u.user_id = t.user_id)
       AND NOT EXISTS (SELECT 1 FROM recent_interactions i WHERE i.user = t.number)
     LIMIT ?3)`,
];
