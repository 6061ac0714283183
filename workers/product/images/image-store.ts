import { and, asc, eq, lte, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { imageRemovals, images } from "../schema.ts";
import { deleteImages, openOutbox } from "../statements.ts";
import type { ImageType } from "./image-type.ts";

/** What is stored of an image. */
export interface ImageRow {
  id: string;
  sha256: string;
  contentType: ImageType;
  bytes: number;
}

/** Reads and writes the images of products, and the list of images whose bytes must be deleted. */
export class ImageStore {
  readonly #database: D1Database;
  readonly #db: ReturnType<typeof drizzle>;

  constructor(database: D1Database) {
    this.#database = database;
    this.#db = drizzle(database);
  }

  /**
   * Stores an image at its position, in one transaction: schedules the removal of the bytes that it replaces, cancels
   * the removal of its own, increments the product's version and opens its outbox row. Returns whether the product
   * exists.
   */
  async put(
    application: string,
    productId: string,
    position: number,
    { id, sha256, contentType, bytes }: ImageRow,
    now: number,
  ): Promise<boolean> {
    const [, , stored] = await this.#database.batch([
      ...deleteImages(this.#database, application, productId, [position, position], now),
      this.#database
        .prepare(
          `INSERT INTO images SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 FROM products
           WHERE application = ?1 AND product_id = ?2 AND deleted = 0`,
        )
        .bind(application, productId, position, id, sha256, contentType, bytes),
      this.#database
        .prepare(
          `DELETE FROM image_removals WHERE id = ?3 AND EXISTS (
             SELECT 1 FROM images WHERE application = ?1 AND product_id = ?2 AND id = ?3)`,
        )
        .bind(application, productId, id),
      ...this.#writeVersion(application, productId, now),
    ]);
    return stored.meta.changes > 0;
  }

  /** Deletes the image at a position and schedules the removal of its bytes. Returns whether there was one. */
  async delete(application: string, productId: string, position: number, now: number): Promise<boolean> {
    const [, deleted] = await this.#database.batch([
      ...deleteImages(this.#database, application, productId, [position, position], now),
      ...this.#writeVersion(application, productId, now),
    ]);
    return deleted.meta.changes > 0;
  }

  /** Increments a product's version for a change of its images, and opens its outbox row. */
  #writeVersion(application: string, productId: string, now: number): D1PreparedStatement[] {
    return [
      this.#database
        .prepare(
          `UPDATE products SET version = version + 1, previous_cell = NULL, updated_at = ?3
           WHERE application = ?1 AND product_id = ?2`,
        )
        .bind(application, productId, now),
      openOutbox(this.#database, application, [productId]),
    ];
  }

  /** Returns the image at a position, or null. */
  async find(
    application: string,
    productId: string,
    position: number,
  ): Promise<typeof images.$inferSelect | null> {
    const [row] = await this.#db
      .select()
      .from(images)
      .where(
        and(
          eq(images.application, application),
          eq(images.productId, productId),
          eq(images.position, position),
        ),
      );
    return row ?? null;
  }

  /** Schedules the removal of an image's bytes at `removeAt`, in seconds since the Unix epoch. */
  async scheduleRemoval(application: string, id: string, removeAt: number): Promise<void> {
    await this.#db.insert(imageRemovals).values({ application, id, removeAt });
  }

  /** Returns up to `limit` ids of images whose bytes may be deleted at `now`, those due first. */
  async dueRemovals(now: number, limit: number): Promise<string[]> {
    const rows = await this.#db
      .select({ id: imageRemovals.id })
      .from(imageRemovals)
      .where(lte(imageRemovals.removeAt, now))
      .orderBy(asc(imageRemovals.removeAt))
      .limit(limit);
    return rows.map(({ id }) => id);
  }

  /** Forgets removals that are done. */
  async finishRemovals(ids: string[]): Promise<void> {
    await this.#db
      .delete(imageRemovals)
      .where(sql`${imageRemovals.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`);
  }
}
