import { and, desc, eq, isNotNull, ne } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { models } from "./schema.ts";

export type ModelRow = typeof models.$inferSelect;

/** The registry's table. Every query begins with the application. */
export class RegistryStore {
  readonly #db: ReturnType<typeof drizzle>;

  constructor(database: D1Database) {
    this.#db = drizzle(database);
  }

  async serving(application: string): Promise<ModelRow | null> {
    const rows = await this.#db
      .select()
      .from(models)
      .where(and(eq(models.application, application), eq(models.status, "serving")));
    return rows[0] ?? null;
  }

  async get(application: string, version: string): Promise<ModelRow | null> {
    const rows = await this.#db
      .select()
      .from(models)
      .where(and(eq(models.application, application), eq(models.version, version)));
    return rows[0] ?? null;
  }

  /** A version by the content of its file. */
  async ofContent(application: string, sha256: string): Promise<ModelRow | null> {
    const rows = await this.#db
      .select()
      .from(models)
      .where(and(eq(models.application, application), eq(models.sha256, sha256)))
      .limit(1);
    return rows[0] ?? null;
  }

  /** Newest first. */
  async list(application: string): Promise<ModelRow[]> {
    return this.#db
      .select()
      .from(models)
      .where(eq(models.application, application))
      .orderBy(desc(models.createdAt));
  }

  /** Adds a version; answers false where there is one of that name. */
  async add(row: ModelRow): Promise<boolean> {
    const added = await this.#db
      .insert(models)
      .values(row)
      .onConflictDoNothing()
      .returning({ version: models.version });
    return added.length > 0;
  }

  /** One transaction: the version serves, and no other does. */
  async promote(application: string, version: string, now: number, by: string): Promise<void> {
    await this.#db.batch([
      this.#db
        .update(models)
        .set({ status: "retired" })
        .where(
          and(eq(models.application, application), eq(models.status, "serving"), ne(models.version, version)),
        ),
      this.#db
        .update(models)
        .set({ status: "serving", promotedAt: now, promotedBy: by })
        .where(and(eq(models.application, application), eq(models.version, version))),
    ]);
  }

  /** The version that served before the present one. */
  async previous(application: string): Promise<ModelRow | null> {
    const rows = await this.#db
      .select()
      .from(models)
      .where(
        and(eq(models.application, application), eq(models.status, "retired"), isNotNull(models.promotedAt)),
      )
      .orderBy(desc(models.promotedAt))
      .limit(1);
    return rows[0] ?? null;
  }

  /** Fails where the migrations have not been applied. */
  async probe(): Promise<void> {
    await this.#db.select({ version: models.version }).from(models).limit(1);
  }
}
