import type { NumberRange } from "./buckets/user-buckets.ts";

/** SQL expression: the number of the user in a parameter or column; null if the user has no rows. */
export const numberSql = (application: string, userId: string): string =>
  `(SELECT n.number FROM user_numbers n WHERE n.application = ${application} AND n.user_id = ${userId})`;

/**
 * Returns the statement that numbers those users of a list who have no number yet. `condition` is an SQL condition over a
 * row `j` of the list, whose value has the user id `u`, and may use the application as parameter 1.
 */
export const insertNumbers = (
  database: D1Database,
  application: string,
  users: readonly ({ u: string } & NumberRange)[],
  condition = "true",
): D1PreparedStatement =>
  database
    .prepare(
      // abs() of the smallest integer fails: a number must not pass the end of its bucket.
      `INSERT INTO user_numbers (number, application, user_id)
       SELECT iif(number <= last, number, abs(-9223372036854775807 - 1)), ?1, u
       FROM (
         SELECT u, last, row_number() OVER (PARTITION BY first ORDER BY u) + coalesce(
           (SELECT max(n.number) FROM user_numbers n WHERE n.number BETWEEN first AND last), first - 1) AS number
         FROM (
           SELECT DISTINCT j.value ->> 'u' AS u, j.value ->> 'first' AS first, j.value ->> 'last' AS last
           FROM json_each(?2) j
           WHERE ${condition} AND NOT EXISTS (SELECT 1 FROM user_numbers n
             WHERE n.application = ?1 AND n.user_id = j.value ->> 'u')))`,
    )
    .bind(application, JSON.stringify(users));

/** Returns the statement that numbers a user who has a profile and no number yet. */
export const insertNumberOfProfile = (
  database: D1Database,
  application: string,
  userId: string,
  range: NumberRange,
): D1PreparedStatement =>
  insertNumbers(
    database,
    application,
    [{ u: userId, ...range }],
    "EXISTS (SELECT 1 FROM users p WHERE p.application = ?1 AND p.user_id = j.value ->> 'u')",
  );

/** Returns the statement that forgets the number of a user who has no rows any more. */
export const deleteUnusedNumber = (
  database: D1Database,
  application: string,
  userId: string,
): D1PreparedStatement =>
  database
    .prepare(
      `DELETE FROM user_numbers WHERE application = ?1 AND user_id = ?2
       AND NOT EXISTS (SELECT 1 FROM recent_interactions i WHERE i.user = user_numbers.number)
       AND NOT EXISTS (SELECT 1 FROM user_locations l WHERE l.application = ?1 AND l.user_id = ?2)
       AND NOT EXISTS (SELECT 1 FROM users u WHERE u.application = ?1 AND u.user_id = ?2)`,
    )
    .bind(application, userId);
