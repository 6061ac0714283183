import { and, asc, desc, eq, gt, gte, inArray, isNotNull, isNull, lt, lte, max, or, sql } from "drizzle-orm";
import { type AnyD1Database, drizzle } from "drizzle-orm/d1";
import type { KeyRecord, KeyRole, KeyScope } from "../../shared/contracts/credential.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import { expiryTime, type RemovedCounts, type Retention } from "../../shared/contracts/retention.ts";
import type { ImportInput, ImportRecord } from "./readiness.ts";
import { apiKeys, developmentMarkers, imports, keyChanges } from "./schema.ts";

/** Bounds the answer of `GET /v1/imports`. */
const maxListedImports = 100;
/** Applications whose changes are announced again in one call. */
const maxAnnouncedApplications = 100;

/** The columns of a key that authentication needs. */
export interface StoredKey {
  application: string;
  id: string;
  role: KeyRole;
  scopes: KeyScope[];
  hash: string;
  /** Seconds since the Unix epoch. */
  expiresAt: number | null;
  /** Seconds since the Unix epoch. */
  lastUsedAt: number | null;
}

/** When a key stops working. */
export interface KeyEnd {
  /** Seconds since the Unix epoch; null for a key that was not rotated. */
  expiresAt: number | null;
}

/** A key whose copy in KV may differ from its row, and what the copy has to be. */
export interface UncopiedKey extends StoredKey {
  /** Seconds since the Unix epoch; null for a key that is not revoked. Such a key has no copy. */
  revokedAt: number | null;
  /** Since when the copy may differ, in seconds since the Unix epoch; 0 for a key that was never copied. */
  uncopiedSince: number;
}

/** Applications whose keys were revoked or rotated, and the number of the last change of all applications. */
export interface ChangedApplications {
  applications: { application: string; number: number }[];
  last: number;
}

/** The columns of a rotated key's replacement that are not copied from the old key. */
export interface NewKey {
  id: string;
  hash: string;
  /** Seconds since the Unix epoch. */
  createdAt: number;
}

const toInstantOrNull = (seconds: number | null): string | null =>
  seconds === null ? null : toInstant(seconds);

const toKeyRecord = ({
  hash: _,
  uncopiedSince: __,
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

const toImportRecord = ({
  application: _,
  updatedAt,
  ...row
}: typeof imports.$inferSelect): ImportRecord => ({ ...row, updatedAt: toInstant(updatedAt) });

const whereKey = (application: string, id: string) =>
  and(eq(apiKeys.application, application), eq(apiKeys.id, id));

/** Reads and writes the gateway's database: API keys and the progress of imports. */
export class GatewayStore {
  readonly #database;

  constructor(database: AnyD1Database) {
    this.#database = drizzle(database);
  }

  /** Returns the key with a hash, or null where there is none or it is revoked. The key may have expired. */
  async findKey(hash: string): Promise<StoredKey | null> {
    const [row] = await this.#database
      .select()
      .from(apiKeys)
      .where(and(eq(apiKeys.hash, hash), isNull(apiKeys.revokedAt)))
      .limit(1);
    return row ?? null;
  }

  /** Returns the role of an application's key, revoked or not; null where there is no such key. */
  async findRole(application: string, id: string): Promise<KeyRole | null> {
    const [row] = await this.#database
      .select({ role: apiKeys.role })
      .from(apiKeys)
      .where(whereKey(application, id));
    return row?.role ?? null;
  }

  /** Inserts a key and returns its record. */
  async addKey(key: typeof apiKeys.$inferInsert): Promise<KeyRecord> {
    const [row] = await this.#database
      .insert(apiKeys)
      .values({ ...key, uncopiedSince: key.createdAt })
      .returning();
    return toKeyRecord(row);
  }

  /** Returns the statement that announces a change of an application's keys at `at`, in seconds since the Unix epoch. */
  #announceChange(application: string, at: number) {
    const next = sql<number>`(SELECT coalesce(max(number), 0) + 1 FROM key_changes)`;
    return this.#database
      .insert(keyChanges)
      .values({ application, number: next, changedAt: at })
      .onConflictDoUpdate({ target: keyChanges.application, set: { number: next, changedAt: at } });
  }

  /**
   * Returns the applications whose keys were revoked or rotated after the change with the number `after`. Without a
   * number, those that changed since `since`, in seconds since the Unix epoch.
   */
  async findChanges(after: number | null, since: number): Promise<ChangedApplications> {
    const [applications, [newest]] = await this.#database.batch([
      this.#database
        .select({ application: keyChanges.application, number: keyChanges.number })
        .from(keyChanges)
        .where(after === null ? gte(keyChanges.changedAt, since) : gt(keyChanges.number, after)),
      this.#database.select({ last: max(keyChanges.number) }).from(keyChanges),
    ]);
    return { applications, last: newest?.last ?? 0 };
  }

  /**
   * Returns at most `limit` keys whose copies may differ from their rows since `before` or longer, in seconds since the
   * Unix epoch, the longest ones first.
   */
  async findUncopied(before: number, limit: number): Promise<UncopiedKey[]> {
    const rows = await this.#database
      .select()
      .from(apiKeys)
      .where(lte(apiKeys.uncopiedSince, before))
      .orderBy(asc(apiKeys.uncopiedSince))
      .limit(limit);
    return rows.map((row) => ({ ...row, uncopiedSince: row.uncopiedSince ?? 0 }));
  }

  /** Returns the named keys of an application as they are to be copied. */
  async findForCopy(application: string, ids: readonly string[]): Promise<UncopiedKey[]> {
    const rows = await this.#database
      .select()
      .from(apiKeys)
      .where(and(eq(apiKeys.application, application), inArray(apiKeys.id, [...ids])));
    return rows.map((row) => ({ ...row, uncopiedSince: row.uncopiedSince ?? 0 }));
  }

  /** Stores that the copies of keys are the same as their rows, unless a row changed since it was read. */
  async markCopied(keys: readonly UncopiedKey[]): Promise<void> {
    const [first, ...rest] = keys.map(({ application, id, uncopiedSince }) =>
      this.#database
        .update(apiKeys)
        .set({ uncopiedSince: null })
        .where(and(whereKey(application, id), eq(apiKeys.uncopiedSince, uncopiedSince))),
    );
    if (first) await this.#database.batch([first, ...rest]);
  }

  /**
   * Announces again, at `at`, the changes of at most 100 applications whose revoked or rotated keys have old copies since
   * `before` or longer. Isolates do not read these copies then. Both are in seconds since the Unix epoch.
   */
  async announceUncopied(before: number, at: number): Promise<void> {
    const rows = await this.#database
      .selectDistinct({ application: apiKeys.application })
      .from(apiKeys)
      .where(
        and(
          gt(apiKeys.uncopiedSince, 0),
          lte(apiKeys.uncopiedSince, before),
          or(isNotNull(apiKeys.revokedAt), isNotNull(apiKeys.expiresAt)),
        ),
      )
      .limit(maxAnnouncedApplications);
    const [first, ...rest] = rows.map(({ application }) => this.#announceChange(application, at));
    if (first) await this.#database.batch([first, ...rest]);
  }

  /**
   * Stores `at` as the key's last use, unless a use after `recordedBefore` is stored. Both are in seconds since the
   * Unix epoch.
   */
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
   * Inserts a new key with the rights of an old one and sets when the old key expires, in one transaction. `expiresAt`
   * is in seconds since the Unix epoch. Returns the new key's record. Returns `inactive` where the old key is revoked
   * or was rotated before, and `unknown` where there is no such key.
   */
  async rotateKey(
    application: string,
    id: string,
    successor: NewKey,
    expiresAt: number,
  ): Promise<KeyRecord | "inactive" | "unknown"> {
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
              uncopiedSince: sql<number>`${successor.createdAt}`.as("uncopied_since"),
            })
            .from(apiKeys)
            .where(whereRotatable),
        )
        .returning(),
      this.#database
        .update(apiKeys)
        .set({ expiresAt, uncopiedSince: successor.createdAt })
        .where(whereRotatable),
      this.#database.select({ id: apiKeys.id }).from(apiKeys).where(whereKey(application, id)),
      this.#announceChange(application, successor.createdAt),
    ]);
    if (row) return toKeyRecord(row);
    return old.length > 0 ? "inactive" : "unknown";
  }

  /** Returns when the application's key with this id ends; null where there is none or it is revoked. */
  async findIssuer(application: string, id: string): Promise<KeyEnd | null> {
    const [row] = await this.#database
      .select({ expiresAt: apiKeys.expiresAt })
      .from(apiKeys)
      .where(and(whereKey(application, id), isNull(apiKeys.revokedAt)));
    return row ?? null;
  }

  /** Returns the marker that a local command wrote; null for a database that no local command made. */
  async findDevelopmentMarker(): Promise<string | null> {
    const [row] = await this.#database.select().from(developmentMarkers).limit(1);
    return row?.marker ?? null;
  }

  /** Returns all keys of the application, oldest first. */
  async listKeys(application: string): Promise<KeyRecord[]> {
    const rows = await this.#database
      .select()
      .from(apiKeys)
      .where(eq(apiKeys.application, application))
      .orderBy(asc(apiKeys.createdAt), asc(apiKeys.id));
    return rows.map(toKeyRecord);
  }

  /** Revokes a key. Returns whether the application has such a key. A second revocation keeps the time of the first. */
  async revokeKey(application: string, id: string, at: number): Promise<boolean> {
    const thisKey = whereKey(application, id);
    const [, rows] = await this.#database.batch([
      this.#database
        .update(apiKeys)
        .set({ revokedAt: at, uncopiedSince: at })
        .where(and(thisKey, isNull(apiKeys.revokedAt))),
      this.#database.select({ id: apiKeys.id }).from(apiKeys).where(thisKey),
      this.#announceChange(application, at),
    ]);
    return rows.length > 0;
  }

  /** Stores the progress of an import, with `at` (seconds since the Unix epoch) as its last report. */
  async putImport(application: string, name: string, input: ImportInput, at: number): Promise<ImportRecord> {
    const row = { ...input, updatedAt: at };
    await this.#database
      .insert(imports)
      .values({ application, name, ...row })
      .onConflictDoUpdate({ target: [imports.application, imports.name], set: row });
    return { name, ...input, updatedAt: toInstant(at) };
  }

  /** Returns the last report of an import since `since` (seconds since the Unix epoch); null if there is none. */
  async findImport(application: string, name: string, since: number): Promise<ImportRecord | null> {
    const [row] = await this.#database
      .select()
      .from(imports)
      .where(
        and(eq(imports.application, application), eq(imports.name, name), gte(imports.updatedAt, since)),
      );
    return row ? toImportRecord(row) : null;
  }

  /** Returns at most 100 imports of an application, last reported first. */
  async listImports(application: string): Promise<ImportRecord[]> {
    const rows = await this.#database
      .select()
      .from(imports)
      .where(eq(imports.application, application))
      .orderBy(desc(imports.updatedAt), asc(imports.name))
      .limit(maxListedImports);
    return rows.map(toImportRecord);
  }

  /** Throws if the database cannot be read. */
  async check(): Promise<void> {
    await this.#database.select({ name: imports.name }).from(imports).limit(1);
  }

  /**
   * Removes revoked and expired keys, and reports of imports, whose retention time is over. Returns how many of each it
   * removed. `now` is in seconds since the Unix epoch.
   */
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
