import { and, asc, eq, gte, isNull, lt, lte, ne, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { KeyRecord, KeyScope } from "../../shared/contracts/credential.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import { expiryTime, type RemovedCounts, type Retention } from "../../shared/contracts/retention.ts";
import type { ImportInput, ImportRecord } from "./routes/readiness.ts";
import { apiKeys, imports } from "./schema.ts";

/** A key as authentication needs it. */
export interface StoredKey {
  application: string;
  id: string;
  role: "admin" | "client";
  scopes: KeyScope[];
  hash: string;
  /** Seconds since the epoch. */
  expiresAt: number | null;
  /** Seconds since the epoch. */
  lastUsedAt: number | null;
}

/** What is new of a key that takes the place of another. */
export interface Successor {
  id: string;
  hash: string;
  createdAt: number;
}

const wire = (seconds: number | null): string | null => (seconds === null ? null : toInstant(seconds));

const recordOf = ({
  hash: _,
  createdAt,
  revokedAt,
  expiresAt,
  lastUsedAt,
  ...row
}: typeof apiKeys.$inferSelect): KeyRecord => ({
  ...row,
  createdAt: toInstant(createdAt),
  revokedAt: wire(revokedAt),
  expiresAt: wire(expiresAt),
  lastUsedAt: wire(lastUsedAt),
});

const keyNamed = (application: string, id: string) =>
  and(eq(apiKeys.application, application), eq(apiKeys.id, id));

/** The gateway's own records: keys and imports. */
export class Store {
  readonly #database;

  constructor(database: D1Database) {
    this.#database = drizzle(database);
  }

  /** The key of a hash, if it is not revoked; it may have ended. */
  async findKey(hash: string): Promise<StoredKey | null> {
    const [row] = await this.#database
      .select()
      .from(apiKeys)
      .where(and(eq(apiKeys.hash, hash), isNull(apiKeys.revokedAt)))
      .limit(1);
    return row ?? null;
  }

  async addKey(key: typeof apiKeys.$inferInsert): Promise<KeyRecord> {
    const [row] = await this.#database.insert(apiKeys).values(key).returning();
    return recordOf(row);
  }

  /** Keeps `at` as the key's last use, unless one after `notedBefore` is kept already. */
  async noteUse({ application, id }: StoredKey, at: number, notedBefore: number): Promise<void> {
    await this.#database
      .update(apiKeys)
      .set({ lastUsedAt: at })
      .where(
        and(keyNamed(application, id), or(isNull(apiKeys.lastUsedAt), lte(apiKeys.lastUsedAt, notedBefore))),
      );
  }

  /**
   * Puts a successor with the same rights beside a key, which ends at `expiresAt`: both or neither. Answers the
   * successor; "ended" for a key that is revoked, expired or rotated already, "unknown" for none.
   */
  async rotateKey(
    application: string,
    id: string,
    successor: Successor,
    expiresAt: number,
  ): Promise<KeyRecord | "ended" | "unknown"> {
    const lasting = and(keyNamed(application, id), isNull(apiKeys.revokedAt), isNull(apiKeys.expiresAt));
    const [[row], , old] = await this.#database.batch([
      this.#database
        .insert(apiKeys)
        .select(
          this.#database
            .select({
              application: apiKeys.application,
              id: sql<string>`${successor.id}`.as("id"),
              role: apiKeys.role,
              name: apiKeys.name,
              hash: sql<string>`${successor.hash}`.as("hash"),
              createdAt: sql<number>`${successor.createdAt}`.as("created_at"),
              revokedAt: apiKeys.revokedAt,
              scopes: apiKeys.scopes,
              expiresAt: apiKeys.expiresAt,
              lastUsedAt: sql<number | null>`null`.as("last_used_at"),
            })
            .from(apiKeys)
            .where(lasting),
        )
        .returning(),
      this.#database.update(apiKeys).set({ expiresAt }).where(lasting),
      this.#database.select({ id: apiKeys.id }).from(apiKeys).where(keyNamed(application, id)),
    ]);
    if (row) return recordOf(row);
    return old.length > 0 ? "ended" : "unknown";
  }

  /** Whether an application has a key of this id that was not revoked; it may have ended. */
  async isKept(application: string, id: string): Promise<boolean> {
    const rows = await this.#database
      .select({ id: apiKeys.id })
      .from(apiKeys)
      .where(and(keyNamed(application, id), isNull(apiKeys.revokedAt)));
    return rows.length > 0;
  }

  /** Oldest first. */
  async listKeys(application: string): Promise<KeyRecord[]> {
    const rows = await this.#database
      .select()
      .from(apiKeys)
      .where(eq(apiKeys.application, application))
      .orderBy(asc(apiKeys.createdAt), asc(apiKeys.id));
    return rows.map(recordOf);
  }

  /** Whether the application has such a key; revoking it again keeps the first time. */
  async revokeKey(application: string, id: string, at: number): Promise<boolean> {
    const mine = keyNamed(application, id);
    await this.#database
      .update(apiKeys)
      .set({ revokedAt: at })
      .where(and(mine, isNull(apiKeys.revokedAt)));
    const rows = await this.#database.select({ id: apiKeys.id }).from(apiKeys).where(mine);
    return rows.length > 0;
  }

  async putImport(application: string, name: string, input: ImportInput, at: number): Promise<ImportRecord> {
    const row = { ...input, updatedAt: at };
    await this.#database
      .insert(imports)
      .values({ application, name, ...row })
      .onConflictDoUpdate({ target: [imports.application, imports.name], set: row });
    return { name, ...input, updatedAt: toInstant(at) };
  }

  /** Imports that run and were heard of since `since`, and those that failed. */
  async openImports(since: number): Promise<ImportRecord[]> {
    const rows = await this.#database
      .select()
      .from(imports)
      .where(and(ne(imports.status, "done"), or(eq(imports.status, "failed"), gte(imports.updatedAt, since))))
      .limit(100);
    return rows.map(({ application: _, updatedAt, ...row }) => ({ ...row, updatedAt: toInstant(updatedAt) }));
  }

  /** Removes keys that were revoked or ended, and reports of imports, that have had their time. `now` in seconds. */
  async removeExpired({ keys, imports: reports }: Retention, now: number): Promise<RemovedCounts> {
    const over = expiryTime(now, keys);
    const [ended, old] = await this.#database.batch([
      this.#database
        .delete(apiKeys)
        .where(or(lt(apiKeys.revokedAt, over), lt(apiKeys.expiresAt, over)))
        .returning({ id: apiKeys.id }),
      this.#database
        .delete(imports)
        .where(lt(imports.updatedAt, expiryTime(now, reports)))
        .returning({ name: imports.name }),
    ]);
    return { keys: ended.length, imports: old.length };
  }
}
