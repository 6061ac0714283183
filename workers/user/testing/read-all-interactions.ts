import type { D1Database } from "@cloudflare/workers-types";
import {
  type InteractionRow,
  interactionColumns,
  interactionOf,
  type StoredColumns,
} from "../stored-interaction.ts";

/** Returns all interactions of an application in one database, by user id and event id. */
export async function readAllInteractions(
  database: D1Database,
  application: string,
): Promise<(InteractionRow & { userId: string })[]> {
  const { results } = await database
    .prepare(
      `SELECT n.user_id AS userId, ${interactionColumns}
       FROM user_numbers n JOIN recent_interactions i ON i.user = n.number WHERE n.application = ?1
       ORDER BY n.user_id, i.id`,
    )
    .bind(application)
    .all<StoredColumns & { userId: string }>();
  return results.map((columns) => ({ userId: columns.userId, ...interactionOf(columns) }));
}
