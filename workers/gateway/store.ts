import { and, asc, eq, gte, isNull, lt, lte, ne, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { KeyRecord, KeyScope } from "../../shared/contracts/credential.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import { expiryTime, type RemovedCounts, type Retention } from "../../shared/contracts/retention.ts";
import type { ImportInput, ImportRecord } from "./readiness.ts";
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
export interface NewKey {
  id: string;
  hash: string;
  createdAt: number;
}

const toInstantOrNull = (seconds: number | null): string | null =>
  seconds === null ? null : toInstant(seconds);

const toKeyRecord = ({
  hash: _,
  createdAt,
  revokedAt,
  expiresAt,
  lastUsedAt,
  ...row
}: typeof apiKeys.$inferSelect): KeyRecord => ({
  ...row,
  createdAt: toInstant(createdAt),
  revokedAt: toInstantOrNull(revokedAt),
  expiresAt: toInstantOrNull(expiresAt),
  lastUsedAt: toInstantOrNull(lastUsedAt),
});

const whereKey = (application: string, id: string) =>
  and(eq(apiKeys.application, application), eq(apiKeys.id, id));

/** The gateway's own records: keys and imports. */
export class GatewayStore {
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
    return toKeyRecord(row);
  }

  /** Keeps `at` as the key's last use, unless one after `notedBefore` is kept already. */
  async recordUse({ application, id }: StoredKey, at: number, recordedBefore: number): Promise<void> {
    await this.#database
      .update(apiKeys)
      .set({ lastUsedAt: at })
      .where(
        and(
          whereKey(application, id),
          or(isNull(apiKeys.lastUsedAt), lte(apiKeys.lastUsedAt, recordedBefore)),
        ),
      );
  }

  /**
   * Puts a successor with the same rights beside a key, which ends at `expiresAt`: both or neither. Answers the
   * successor; "ended" for a key that is revoked, expired or rotated already, "unknown" for none.
   */
  async rotateKey(
    application: string,
    id: string,
    successor: NewKey,
    expiresAt: number,
  ): Promise<KeyRecord | "ended" | "unknown"> {
    const whereRotatable = and(
      whereKey(application, id),
      isNull(apiKeys.revokedAt),
      isNull(apiKeys.expiresAt),
    );
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
            .where(whereRotatable),
        )
        .returning(),
      this.#database.update(apiKeys).set({ expiresAt }).where(whereRotatable),
      this.#database.select({ id: apiKeys.id }).from(apiKeys).where(whereKey(application, id)),
    ]);
    if (row) return toKeyRecord(row);
    return old.length > 0 ? "ended" : "unknown";
  }

  /** Whether an application has a key of this id that was not revoked; it may have ended. */
  async isUnrevoked(application: string, id: string): Promise<boolean> {
    const rows = await this.#database
      .select({ id: apiKeys.id })
      .from(apiKeys)
      .where(and(whereKey(application, id), isNull(apiKeys.revokedAt)));
    return rows.length > 0;
  }

  /** Oldest first. */
  async listKeys(application: string): Promise<KeyRecord[]> {
    const rows = await this.#database
      .select()
      .from(apiKeys)
      .where(eq(apiKeys.application, application))
      .orderBy(asc(apiKeys.createdAt), asc(apiKeys.id));
    return rows.map(toKeyRecord);
  }

  /** Whether the application has such a key; revoking it again keeps the first time. */
  async revokeKey(application: string, id: string, at: number): Promise<boolean> {
    const thisKey = whereKey(application, id);
    await this.#database
      .update(apiKeys)
      .set({ revokedAt: at })
      .where(and(thisKey, isNull(apiKeys.revokedAt)));
    const rows = await this.#database.select({ id: apiKeys.id }).from(apiKeys).where(thisKey);
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
  async listUnfinishedImports(since: number): Promise<ImportRecord[]> {
    const rows = await this.#database
      .select()
      .from(imports)
      .where(and(ne(imports.status, "done"), or(eq(imports.status, "failed"), gte(imports.updatedAt, since))))
      .limit(100);
    return rows.map(({ application: _, updatedAt, ...row }) => ({ ...row, updatedAt: toInstant(updatedAt) }));
  }

  /** Removes keys that were revoked or ended, and reports of imports, that have had their time. `now` in seconds. */
  async removeExpired({ keys, imports: reports }: Retention, now: number): Promise<RemovedCounts> {
    const keysBefore = expiryTime(now, keys);
    const [ended, old] = await this.#database.batch([
      this.#database
        .delete(apiKeys)
        .where(or(lt(apiKeys.revokedAt, keysBefore), lt(apiKeys.expiresAt, keysBefore)))
        .returning({ id: apiKeys.id }),
      this.#database
        .delete(imports)
        .where(lt(imports.updatedAt, expiryTime(now, reports)))
        .returning({ name: imports.name }),
    ]);
    return { keys: ended.length, imports: old.length };
  }
}
