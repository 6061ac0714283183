import { and, asc, eq, gt, gte, inArray, lt, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { rangeInside } from "../../shared/contracts/category-path.ts";
import { lastImagePosition } from "../../shared/contracts/image.ts";
import { nearestMinorUnits } from "../../shared/contracts/minor-units.ts";
import type { ProductInput } from "../../shared/contracts/product.ts";
import { categoriesOf } from "../../shared/contracts/product-details.ts";
import type { Declared } from "./column-values.ts";
import { type ProductColumnChanges, type ProductRow, productAddress } from "./rows.ts";
import { catalogSchemas, images, outbox, products } from "./schema.ts";
import { deleteImages, openOutbox } from "./statements.ts";
import { storedDetailsOf } from "./stored-details.ts";

/** A stored product, with the ids of its images by position. */
export interface StoredProduct {
  row: ProductRow;
  images: string[];
}

/** A stored product, with the attributes that its application declared when it was read. */
export interface IndexedProduct extends StoredProduct {
  declared: Declared;
}

/**
 * A product whose outbox row is open, with the addresses that it left since the spatial index last applied a version.
 */
export interface PendingProduct extends IndexedProduct {
  leftCells: string[];
}

/** The place of a product in a list of a catalog. */
export interface ListPosition {
  productId: string;
  /** Main category of the product; it counts in lists of a category only. */
  category: string;
}

const idsOf = (productIds: string[]) => sql`(SELECT value FROM json_each(${JSON.stringify(productIds)}))`;

/** Reads and writes products and their outbox; `images/image-store.ts` does so with images. All queries but those of the outbox are of one application. */
export class ProductStore {
  readonly #database: D1Database;
  readonly #db: ReturnType<typeof drizzle>;

  constructor(database: D1Database) {
    this.#database = database;
    this.#db = drizzle(database);
  }

  /**
   * Inserts or replaces products and opens their outbox rows, in one transaction. Each product's version grows by
   * one.
   */
  async upsert(application: string, inputs: ProductInput[], now: number): Promise<void> {
    const list = JSON.stringify(
      inputs.map((input) => ({
        ...input,
        category: categoriesOf(input)[0],
        details: JSON.stringify(storedDetailsOf(input)),
        priceMinor: input.price === null ? null : nearestMinorUnits(input.price, input.currency),
        lat: input.location?.lat ?? null,
        lon: input.location?.lon ?? null,
        available: input.available ? 1 : 0,
        attributes: JSON.stringify(input.attributes),
        cell: productAddress(input),
      })),
    );
    // These statements use D1's own API, because drizzle's batch takes no raw statements with parameters.
    await this.#database.batch([
      this.#database
        .prepare(
          `INSERT INTO products (application, product_id, version, deleted, title, category, price_minor, currency,
             discount, rating, lat, lon, available, group_id, attributes, details, cell, previous_cell, created_at,
             updated_at)
           SELECT ?1, j.value ->> 'id', 1, 0, j.value ->> 'title', j.value ->> 'category', j.value ->> 'priceMinor',
             j.value ->> 'currency', j.value ->> 'discount', j.value ->> 'rating', j.value ->> 'lat', j.value ->> 'lon',
             j.value ->> 'available', j.value ->> 'groupId', j.value ->> 'attributes', j.value ->> 'details',
             j.value ->> 'cell', NULL, ?3, ?3
           FROM json_each(?2) j WHERE true
           ON CONFLICT DO UPDATE SET version = version + 1, deleted = 0, title = excluded.title,
             category = excluded.category, price_minor = excluded.price_minor, currency = excluded.currency,
             discount = excluded.discount, rating = excluded.rating, lat = excluded.lat, lon = excluded.lon,
             available = excluded.available, group_id = excluded.group_id, attributes = excluded.attributes,
             details = excluded.details,
             previous_cell = nullif(cell, excluded.cell),
             cell = excluded.cell, updated_at = excluded.updated_at`,
        )
        .bind(application, list, now),
      openOutbox(
        this.#database,
        application,
        inputs.map((input) => input.id),
      ),
    ]);
  }

  /**
   * Changes the given columns in one statement, so that concurrent changes of other columns are kept. Returns whether
   * the product exists and, with `expected`, still has this price and currency.
   */
  async patch(
    application: string,
    productId: string,
    { details, ...changes }: ProductColumnChanges,
    now: number,
    expected?: Pick<ProductRow, "priceMinor" | "currency">,
  ): Promise<boolean> {
    const moved = changes.cell === undefined ? null : sql`nullif(${products.cell}, ${changes.cell})`;
    const update = this.#db
      .update(products)
      .set({
        ...changes,
        ...(details === undefined
          ? {}
          : { details: sql`json_patch(${products.details}, ${JSON.stringify(details)})` }),
        previousCell: moved,
        version: sql`${products.version} + 1`,
        updatedAt: now,
      })
      .where(
        and(
          eq(products.application, application),
          eq(products.productId, productId),
          eq(products.deleted, 0),
          expected &&
            sql`${products.priceMinor} IS ${expected.priceMinor} AND ${products.currency} IS ${expected.currency}`,
        ),
      )
      .toSQL();
    const [changed] = await this.#database.batch([
      this.#database.prepare(update.sql).bind(...update.params),
      openOutbox(this.#database, application, [productId]),
    ]);
    return changed.meta.changes > 0;
  }

  /**
   * Marks a product as deleted, deletes its images and schedules the removal of their bytes. Returns whether the
   * product existed.
   */
  async remove(application: string, productId: string, now: number): Promise<boolean> {
    const [deleted] = await this.#database.batch([
      this.#database
        .prepare(
          `UPDATE products SET deleted = 1, version = version + 1, previous_cell = NULL, updated_at = ?3
           WHERE application = ?1 AND product_id = ?2 AND deleted = 0`,
        )
        .bind(application, productId, now),
      ...deleteImages(this.#database, application, productId, [0, lastImagePosition], now),
      openOutbox(this.#database, application, [productId]),
    ]);
    return deleted.meta.changes > 0;
  }

  #imagesOf(application: string, productIds: string[]) {
    return this.#db
      .select({ productId: images.productId, id: images.id })
      .from(images)
      .where(and(eq(images.application, application), inArray(images.productId, idsOf(productIds))))
      .orderBy(asc(images.productId), asc(images.position));
  }

  #declaredBy(application: string) {
    return this.#db
      .select({ attributes: catalogSchemas.attributes })
      .from(catalogSchemas)
      .where(eq(catalogSchemas.application, application));
  }

  /** Returns the declared attributes of an application. */
  async declared(application: string): Promise<Declared> {
    return declaredOf(await this.#declaredBy(application));
  }

  /** Returns products by id, including deleted ones, in no order. */
  async read(application: string, productIds: string[]): Promise<IndexedProduct[]> {
    const [rows, imagesOfProducts, schemas] = await this.#db.batch([
      this.#db
        .select()
        .from(products)
        .where(and(eq(products.application, application), inArray(products.productId, idsOf(productIds)))),
      this.#imagesOf(application, productIds),
      this.#declaredBy(application),
    ]);
    const declared = declaredOf(schemas);
    return withImages(rows, imagesOfProducts).map((each) => ({ ...each, declared }));
  }

  /** Returns those of the products whose outbox rows are open, including deleted ones, in no order. */
  async readPending(application: string, productIds: string[]): Promise<PendingProduct[]> {
    const [rows, imagesOfProducts, schemas] = await this.#db.batch([
      this.#db
        .select({ row: products, leftCells: outbox.leftCells })
        .from(outbox)
        .innerJoin(
          products,
          and(eq(products.application, outbox.application), eq(products.productId, outbox.productId)),
        )
        .where(and(eq(outbox.application, application), inArray(outbox.productId, idsOf(productIds)))),
      this.#imagesOf(application, productIds),
      this.#declaredBy(application),
    ]);
    const declared = declaredOf(schemas);
    const stored = withImages(
      rows.map(({ row }) => row),
      imagesOfProducts,
    );
    return stored.map((each, i) => ({ ...each, declared, leftCells: Object.keys(rows[i].leftCells) }));
  }

  /**
   * Returns up to `limit` products after `after` by address and id, ascending, without deleted ones, and the declared
   * attributes.
   */
  async listByAddress(
    application: string,
    after: { cell: string; productId: string } | null,
    limit: number,
  ): Promise<{ rows: ProductRow[]; declared: Declared }> {
    const query = this.#db
      .select()
      .from(products)
      .where(
        and(
          eq(products.application, application),
          eq(products.deleted, 0),
          after === null
            ? undefined
            : sql`(${products.cell}, ${products.productId}) > (${after.cell}, ${after.productId})`,
        ),
      )
      .orderBy(asc(products.cell), asc(products.productId))
      .limit(limit);
    const [rows, schemas] = await this.#db.batch([query, this.#declaredBy(application)]);
    return { rows, declared: declaredOf(schemas) };
  }

  /**
   * Returns the products of an application after a position, in the order of their ids. With a category, returns those whose
   * main category it is or contains, in the order of category and id. At most `limit`.
   */
  async list(
    application: string,
    limit: number,
    after: ListPosition | null,
    category: string | undefined,
  ): Promise<StoredProduct[]> {
    const select = (at: SQL | undefined, order: SQL[], count: number) =>
      this.#db
        .select()
        .from(products)
        .where(and(eq(products.application, application), eq(products.deleted, 0), at))
        .orderBy(...order)
        .limit(count);
    const { productId } = products;
    const afterId = after === null ? undefined : gt(productId, after.productId);
    let rows: (typeof products.$inferSelect)[];
    if (category === undefined) rows = await select(afterId, [asc(productId)], limit);
    else {
      const isInside = after !== null && after.category !== category;
      rows = isInside
        ? []
        : await select(and(eq(products.category, category), afterId), [asc(productId)], limit);
      // The paths inside a category are one range of the index, behind the category's own rows.
      const inside = rangeInside(category);
      if (rows.length < limit)
        rows.push(
          ...(await select(
            and(
              gte(products.category, inside.from),
              lt(products.category, inside.end),
              isInside
                ? sql`(${products.category}, ${productId}) > (${after.category}, ${after.productId})`
                : undefined,
            ),
            [asc(products.category), asc(productId)],
            limit - rows.length,
          )),
        );
    }
    return withImages(
      rows,
      await this.#imagesOf(
        application,
        rows.map((row) => row.productId),
      ),
    );
  }

  /** Returns the applications that have open outbox rows, by name. Reads one row for each. */
  async applicationsWithOpenRows(): Promise<string[]> {
    const rows = await this.#db.all<{ name: string }>(sql`
      WITH RECURSIVE open(name) AS (
        SELECT min(application) FROM outbox
        UNION ALL SELECT (SELECT min(application) FROM outbox WHERE application > open.name) FROM open
        WHERE open.name IS NOT NULL)
      SELECT name FROM open WHERE name IS NOT NULL`);
    return rows.map(({ name }) => name);
  }

  /** Returns the number of an application's open outbox rows that were sent since a time; at most `limit`. */
  async countSent(application: string, since: number, limit: number): Promise<number> {
    const [{ sent }] = await this.#db.all<{ sent: number }>(sql`
      SELECT count(*) AS sent FROM (
        SELECT 1 FROM outbox WHERE application = ${application} AND sent_at >= ${since} LIMIT ${limit})`);
    return sent;
  }

  /**
   * Returns the products of up to `limit` open outbox rows that were last sent before `sentBefore`, those sent longest
   * ago first, and marks them as sent at `now`.
   */
  async claimOutbox(application: string, sentBefore: number, now: number, limit: number): Promise<string[]> {
    const rows = await this.#db
      .update(outbox)
      .set({ sentAt: now })
      .where(
        sql`${outbox.application} = ${application} AND ${outbox.productId} IN (
          SELECT product_id FROM outbox WHERE application = ${application} AND sent_at < ${sentBefore}
          ORDER BY sent_at LIMIT ${Math.max(0, limit)})`,
      )
      .returning({ productId: outbox.productId });
    return rows.map(({ productId }) => productId);
  }

  /** Marks outbox rows as sent at `now`. */
  async markSent(application: string, productIds: string[], now: number): Promise<void> {
    await this.#db
      .update(outbox)
      .set({ sentAt: now })
      .where(
        and(
          eq(outbox.application, application),
          inArray(outbox.productId, idsOf(productIds)),
          lt(outbox.sentAt, now),
        ),
      );
  }

  /** Closes outbox rows whose version the spatial index has applied. The row of a newer write stays open. */
  async closeOutbox(application: string, confirmed: { productId: string; version: number }[]): Promise<void> {
    await this.#db.run(sql`
      DELETE FROM outbox WHERE application = ${application} AND EXISTS (
        SELECT 1 FROM json_each(${JSON.stringify(confirmed)}) j
        WHERE j.value ->> 'productId' = outbox.product_id AND j.value ->> 'version' >= outbox.version)
        AND product_id IN ${idsOf(confirmed.map((each) => each.productId))}`);
  }

  /** Returns the number of open outbox rows of an application; at most `limit`, which bounds what is read. */
  async countOpenOutbox(application: string, limit: number): Promise<number> {
    const [{ open }] = await this.#db.all<{ open: number }>(sql`
      SELECT count(*) AS open FROM (SELECT 1 FROM outbox WHERE application = ${application} LIMIT ${limit})`);
    return open;
  }
}

const declaredOf = ([schema]: readonly { attributes: Declared }[]): Declared => schema?.attributes ?? {};

function withImages(rows: ProductRow[], found: { productId: string; id: string }[]): StoredProduct[] {
  const byProduct = new Map<string, string[]>();
  for (const { productId, id } of found) byProduct.set(productId, [...(byProduct.get(productId) ?? []), id]);
  return rows.map((row) => ({ row, images: byProduct.get(row.productId) ?? [] }));
}
