// Statements that a write of products and a write of images have in common.

/** Opens outbox rows for the written versions. Adds the address that a version left to those left before. */
export const openOutbox = (
  database: D1Database,
  application: string,
  productIds: string[],
): D1PreparedStatement =>
  database
    .prepare(
      `INSERT INTO outbox
       SELECT application, product_id, version, 0,
         CASE WHEN previous_cell IS NULL THEN '{}' ELSE json_object(previous_cell, 1) END
       FROM products WHERE application = ?1 AND product_id IN (SELECT value FROM json_each(?2))
       ON CONFLICT DO UPDATE SET version = excluded.version, sent_at = 0,
         left_cells = json_patch(left_cells, excluded.left_cells)`,
    )
    .bind(application, JSON.stringify(productIds));

/** Deletes the images of the positions from `first` to `last`, and schedules the removal of their bytes. */
export function deleteImages(
  database: D1Database,
  application: string,
  productId: string,
  [first, last]: readonly [number, number],
  now: number,
): D1PreparedStatement[] {
  const where = "application = ?1 AND product_id = ?2 AND position BETWEEN ?3 AND ?4";
  return [
    database
      .prepare(`INSERT INTO image_removals SELECT application, id, ?5 FROM images WHERE ${where}`)
      .bind(application, productId, first, last, now),
    database.prepare(`DELETE FROM images WHERE ${where}`).bind(application, productId, first, last),
  ];
}
