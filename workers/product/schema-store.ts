import { and, asc, eq, gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { type CatalogSchema, noCatalogSchema } from "../../shared/contracts/catalog-schema.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import type { Declared } from "./column-values.ts";
import { catalogSchemas, products } from "./schema.ts";
import { openOutbox } from "./statements.ts";

type SchemaRow = typeof catalogSchemas.$inferSelect;

/** Returns a stored schema as the API returns it; null stands for none. */
export const catalogSchemaOf = (row: SchemaRow | null): CatalogSchema =>
  row === null
    ? noCatalogSchema
    : {
        ...{ version: row.version, attributes: row.attributes },
        publication: {
          status: row.done === 0 ? "running" : "done",
          ...{ checked: row.checked, published: row.published },
        },
        updatedAt: toInstant(row.updatedAt),
      };

/** Returns the names of the attributes whose columns differ between two schemas. */
function changedColumns(before: Declared, after: Declared): string[] {
  const columnOf = (declared: Declared, name: string): string | null =>
    declared[name]?.filterable ? declared[name].type : null;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => columnOf(before, name) !== columnOf(after, name),
  );
}

/** Reads and writes the declared attributes of applications, and the state of the jobs that publish them. */
export class SchemaStore {
  readonly #database: D1Database;
  readonly #db: ReturnType<typeof drizzle>;

  constructor(database: D1Database) {
    this.#database = database;
    this.#db = drizzle(database);
  }

  /** Returns the schema of an application; null if none was ever declared. */
  async read(application: string): Promise<SchemaRow | null> {
    const [row] = await this.#db
      .select()
      .from(catalogSchemas)
      .where(eq(catalogSchemas.application, application));
    return row ?? null;
  }

  /**
   * Replaces the declared attributes, and starts the job that publishes changed columns. It also publishes what a job
   * before has not finished. Returns the stored schema; null if another call changed the schema meanwhile.
   */
  async replace(application: string, attributes: Declared, now: number): Promise<SchemaRow | null> {
    const before = await this.read(application);
    const unfinished = before?.done === 0 ? before.changed : [];
    const changed = [...new Set([...unfinished, ...changedColumns(before?.attributes ?? {}, attributes)])];
    const version = (before?.version ?? 0) + 1;
    const { meta } = await this.#database
      .prepare(
        `INSERT INTO catalog_schemas
           (application, version, attributes, changed, position, done, checked, published, updated_at)
         VALUES (?1, ?2, ?3, ?4, NULL, ?5, 0, 0, ?6)
         ON CONFLICT DO UPDATE SET version = excluded.version, attributes = excluded.attributes,
           changed = excluded.changed, position = NULL, done = excluded.done, checked = 0, published = 0,
           updated_at = excluded.updated_at
         WHERE version = excluded.version - 1`,
      )
      .bind(
        ...[application, version, JSON.stringify(attributes), JSON.stringify(changed)],
        ...[changed.length === 0 ? 1 : 0, now],
      )
      .run();
    return meta.changes > 0 ? this.read(application) : null;
  }

  /** Returns the applications whose jobs are not done. */
  async unfinished(limit: number): Promise<string[]> {
    const rows = await this.#db
      .select({ application: catalogSchemas.application })
      .from(catalogSchemas)
      .where(eq(catalogSchemas.done, 0))
      .limit(limit);
    return rows.map(({ application }) => application);
  }

  /** Returns the next `limit` products of a job by id, and whether each has one of its changed attributes. */
  async nextProducts(
    { application, position, changed }: Pick<SchemaRow, "application" | "position" | "changed">,
    limit: number,
  ): Promise<{ productId: string; isAffected: boolean }[]> {
    const rows = await this.#db
      .select({ productId: products.productId, attributes: products.attributes })
      .from(products)
      .where(
        and(
          eq(products.application, application),
          eq(products.deleted, 0),
          position === null ? undefined : gt(products.productId, position),
        ),
      )
      .orderBy(asc(products.productId))
      .limit(limit);
    return rows.map(({ productId, attributes }) => ({
      productId,
      isAffected: changed.some((name) => Object.hasOwn(attributes, name)),
    }));
  }

  /**
   * Ends a step of a job in one transaction: gives the affected products a version of their own, opens their outbox rows,
   * and stores the position. A step that another call ended, or whose schema has changed, does nothing more than publish
   * products again.
   */
  async endStep(
    { application, version, position }: Pick<SchemaRow, "application" | "version" | "position">,
    step: { affected: string[]; checked: number; position: string | null; isLast: boolean },
  ): Promise<void> {
    await this.#database.batch([
      this.#database
        .prepare(
          `UPDATE products SET version = version + 1, previous_cell = NULL
           WHERE application = ?1 AND deleted = 0 AND product_id IN (SELECT value FROM json_each(?2))`,
        )
        .bind(application, JSON.stringify(step.affected)),
      openOutbox(this.#database, application, step.affected),
      this.#database
        .prepare(
          `UPDATE catalog_schemas SET position = ?4, done = ?5, checked = checked + ?6, published = published + ?7
           WHERE application = ?1 AND version = ?2 AND position IS ?3`,
        )
        .bind(
          ...[application, version, position, step.position],
          ...[step.isLast ? 1 : 0, step.checked, step.affected.length],
        ),
    ]);
  }
}
