import { and, eq, getTableColumns, sql } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { usualConsent } from "../../shared/consent/default-consent.ts";
import type { Precision } from "../../shared/contracts/primitives.ts";
import { type ProductTotals, sumTotals, type Totals } from "../../shared/contracts/totals.ts";
import { compareUtf8 } from "../../shared/encoding/compare-utf8.ts";
import type {
  EndedUser,
  ErasedRecords,
  GenerationEnd,
  StoredEvent,
  Tombstone,
} from "../../shared/services/user-api.ts";
import { bucketOf } from "./buckets/user-buckets.ts";
import { UserDatabases } from "./buckets/user-databases.ts";
import { encodeId, encodeTime, storedIdSql } from "./compact-columns.ts";
import { limitChanges, limitsOfNew } from "./consent.ts";
import { openDatabase } from "./database.ts";
import {
  groupHoursByProduct,
  hoursTouched,
  type TotalsRow,
  toInteractionJson,
  toVisitJson,
  type UserInteractionBatch,
  type UserVisitBatch,
} from "./interaction-rows.ts";
import { erasures, userLocations, users } from "./schema.ts";
import {
  insertInteractions,
  insertVisits,
  readAllHours,
  readHours,
  readInteractions,
  readTombstones,
} from "./statements.ts";
import {
  type InteractionRow,
  interactionColumns,
  interactionOf,
  type StoredColumns,
} from "./stored-interaction.ts";
import { deleteUnusedNumber, insertNumberOfProfile, numberSql } from "./user-numbers.ts";

export type UserRow = typeof users.$inferSelect;
export type VisitRow = typeof userLocations.$inferSelect;

/** Maximum number of rows in one statement. The JSON of the largest rows stays below D1's 2 MB for a parameter. */
const maxRowsPerStatement = 2000;

/** Returns a drizzle query as a statement of D1, since drizzle's batch takes no raw statements with parameters. */
function statementOf(
  database: D1Database,
  query: { toSQL: () => { sql: string; params: unknown[] } },
): D1PreparedStatement {
  const { sql: text, params } = query.toSQL();
  return database.prepare(text).bind(...params);
}

/** Returns the rows that {@link statementOf} read, with the names and types of drizzle's schema. */
function rowsOf<T extends SQLiteTable>(table: T, { results }: D1Result<unknown>): T["$inferSelect"][] {
  const columns = Object.entries(getTableColumns(table));
  return (results as Record<string, unknown>[]).map((row) =>
    Object.fromEntries(
      columns.map(([key, column]) => {
        const value = row[column.name];
        return [key, value === null ? null : column.mapFromDriverValue(value)];
      }),
    ),
  );
}

/** Splits rows into parts of at most {@link maxRowsPerStatement}. */
const partsOf = <R>(rows: readonly R[]): R[][] =>
  Array.from({ length: Math.ceil(rows.length / maxRowsPerStatement) }, (_, i) =>
    rows.slice(i * maxRowsPerStatement, (i + 1) * maxRowsPerStatement),
  );

/** Position of an interaction in a user's history, which is ordered by time and event id. */
export interface InteractionPosition {
  time: number;
  eventId: string;
}

/** The only access to the user worker's databases. Every query is restricted to one application. */
export class UserStore {
  readonly databases: UserDatabases;
  readonly #defaultConsent: Precision;

  /** `defaultConsent` is the consent of users who state none. */
  constructor(databases: readonly D1Database[], defaultConsent: Precision = usualConsent) {
    this.databases = new UserDatabases(databases);
    this.#defaultConsent = defaultConsent;
  }

  /** Returns a user's profile, or null if there is none. */
  async get(application: string, userId: string): Promise<UserRow | null> {
    const [result] = await this.databases.atPlaceOf(application, userId, ({ database, read }) =>
      read([
        statementOf(
          database,
          openDatabase(database)
            .select()
            .from(users)
            .where(and(eq(users.application, application), eq(users.userId, userId))),
        ),
      ]),
    );
    return rowsOf(users, result)[0] ?? null;
  }

  /**
   * Inserts a profile, or replaces all of it but `createdAt` and increments the settings version. Returns the stored
   * row.
   */
  async put(row: UserRow): Promise<UserRow> {
    const [result] = await this.databases.atPlaceOf(
      row.application,
      row.userId,
      ({ database, write, numbersOf }) =>
        write([
          statementOf(
            database,
            openDatabase(database)
              .insert(users)
              .values({ ...row, ...limitsOfNew(row.precision ?? this.#defaultConsent) })
              .onConflictDoUpdate({
                target: [users.application, users.userId],
                set: {
                  homeLat: row.homeLat,
                  homeLon: row.homeLon,
                  precision: row.precision,
                  attributes: row.attributes,
                  settingsVersion: sql`${users.settingsVersion} + 1`,
                  updatedAt: row.updatedAt,
                  ...limitChanges(row.precision ?? this.#defaultConsent),
                },
              })
              .returning(),
          ),
          insertNumberOfProfile(database, row.application, row.userId, numbersOf(row.userId)),
        ]),
    );
    return rowsOf(users, result)[0];
  }

  /**
   * Changes the given columns in one statement, so that concurrent changes of other columns are kept. Returns the
   * stored row, or null if there is no profile.
   */
  async patch(
    application: string,
    userId: string,
    changes: Partial<UserRow>,
    now: number,
  ): Promise<UserRow | null> {
    const [result] = await this.databases.atPlaceOf(application, userId, ({ database, write }) =>
      write([
        statementOf(
          database,
          openDatabase(database)
            .update(users)
            .set({
              ...changes,
              settingsVersion: sql`${users.settingsVersion} + 1`,
              updatedAt: now,
              ...(changes.precision === undefined
                ? {}
                : limitChanges(changes.precision ?? this.#defaultConsent)),
            })
            .where(and(eq(users.application, application), eq(users.userId, userId)))
            .returning(),
        ),
      ]),
    );
    return rowsOf(users, result)[0] ?? null;
  }

  /** Returns up to `limit` profiles of all databases by user id, ascending, after `after`. */
  async list(application: string, limit: number, after: string | null): Promise<UserRow[]> {
    const listed: UserRow[] = [];
    for (let from: string | null = after; ; ) {
      const page = await this.#pageOfProfiles(application, limit - listed.length, from);
      listed.push(...page.rows);
      if (page.end === null || listed.length >= limit) return listed.slice(0, limit);
      from = page.end;
    }
  }

  /**
   * Reads the next profiles of all databases. Returns those that the databases own, and the user id up to which they are
   * complete: null if there are no more. While a bucket moves, two databases have its rows, and one owns it.
   */
  async #pageOfProfiles(
    application: string,
    limit: number,
    after: string | null,
  ): Promise<{ rows: UserRow[]; end: string | null }> {
    const { bucketCount } = await this.databases.map();
    for (;;) {
      const parts = await Promise.all(
        this.databases.all.map((database) =>
          database.batch<unknown>([
            database.prepare("SELECT bucket FROM buckets WHERE state IN ('owned', 'leaving')"),
            database
              .prepare(
                `SELECT * FROM users WHERE application = ?1 AND user_id > ?2 ORDER BY user_id LIMIT ?3`,
              )
              .bind(application, after ?? "", limit),
          ]),
        ),
      );
      const owned = parts.map(
        ([{ results }]) => new Set((results as { bucket: number }[]).map(({ bucket }) => bucket)),
      );
      // A bucket that changed its owner between the reads may be in none of them.
      if (owned.reduce((sum, { size }) => sum + size, 0) !== bucketCount) {
        await this.databases.reloadMap();
        continue;
      }
      const found = parts.map(([, page]) => rowsOf(users, page));
      const ends = found.flatMap((rows) => (rows.length < limit ? [] : [rows[limit - 1].userId]));
      const end = ends.sort(compareUtf8)[0] ?? null;
      return {
        rows: found
          .flatMap((rows, i) =>
            rows.filter(({ userId }) => owned[i].has(bucketOf(application, userId, bucketCount))),
          )
          .filter(({ userId }) => end === null || compareUtf8(userId, end) <= 0)
          .sort((a, b) => compareUtf8(a.userId, b.userId)),
        end,
      };
    }
  }

  /**
   * Inserts interactions that do not exist yet, and adds them to the totals in the same transaction. Returns the totals
   * of every product and hour in the batch, read after the commit. The last of several concurrent calls thus returns
   * the totals of all of them. `uncounted` are those of the events that do not count because another user of their
   * network has counted.
   */
  async recordInteractions(
    application: string,
    batch: UserInteractionBatch[],
    now: number,
  ): Promise<{
    inserted: number;
    totals: ProductTotals[];
    uncounted: { userId: string; eventId: string }[];
  }> {
    const rows = toInteractionJson(batch);
    const touched = hoursTouched(rows);
    const noHours = new Map<string, Set<number>>();
    // The totals of one database are read in its transaction; those of several can only be read after all have committed.
    const parts = partsOf(rows);
    const readsInBatch = this.databases.all.length === 1;
    let inserted = 0;
    const uncounted: { userId: string; eventId: string }[] = [];
    let hours: TotalsRow[] = [];
    for (const [i, part] of parts.entries()) {
      const wanted = readsInBatch && i === parts.length - 1 ? touched : noHours;
      const stored = await this.databases.forEachPlace(
        application,
        part,
        (row) => row.u,
        (place, group) => insertInteractions(place, application, group, wanted, now, this.#defaultConsent),
      );
      for (const each of stored) {
        inserted += each.inserted;
        uncounted.push(...each.uncounted);
        hours = each.hours;
      }
    }
    if (!readsInBatch)
      hours = await this.#readHoursEverywhere((database) => readHours(database, application, touched));
    return {
      inserted,
      uncounted,
      totals: [...groupHoursByProduct(touched.keys(), hours)].map(([productId, hours]) => ({
        productId,
        complete: false,
        hours,
      })),
    };
  }

  /** Returns those of the events that are stored, in no order. */
  async findInteractions(
    application: string,
    events: readonly { userId: string; eventId: string }[],
  ): Promise<StoredEvent[]> {
    const parts = partsOf(events).map((part) =>
      this.databases.forEachPlace(
        application,
        part,
        ({ userId }) => userId,
        (place, group) => readInteractions(place, application, group),
      ),
    );
    return (await Promise.all(parts)).flat(2);
  }

  /** Reads hourly rows from all databases, ascending by hour. */
  async #readHoursEverywhere(read: (database: D1Database) => Promise<TotalsRow[]>): Promise<TotalsRow[]> {
    const parts = await Promise.all(this.databases.all.map(read));
    return parts.length === 1 ? parts[0] : parts.flat().sort((a, b) => a.hour - b.hour);
  }

  /** Returns lifetime totals, in the order of the ids. */
  async lifetimeTotals(application: string, productIds: string[]): Promise<Totals[]> {
    return (await this.hourlyTotals(application, productIds)).map(({ hours }) => sumTotals(hours));
  }

  /** Returns the totals of all hours, in the order of the ids. */
  async hourlyTotals(application: string, productIds: string[]): Promise<ProductTotals[]> {
    const rows = await this.#readHoursEverywhere((database) =>
      readAllHours(database, application, productIds),
    );
    const hours = groupHoursByProduct(productIds, rows);
    return productIds.map((productId) => ({ productId, complete: true, hours: hours.get(productId) ?? [] }));
  }

  /**
   * Inserts visits. Ignores visits that exist already (same user and `seq`) and visits of an erased generation. Returns
   * the number of inserted rows.
   */
  async recordLocations(application: string, batch: UserVisitBatch[]): Promise<number> {
    const rows = toVisitJson(batch);
    const inserted = await this.databases.forEachPlace(
      application,
      rows,
      (row) => row.u,
      (place, part) => insertVisits(place, application, part, this.#defaultConsent),
    );
    return inserted.reduce((sum, each) => sum + each, 0);
  }

  /** Returns up to `limit` interactions of a user before `before`, newest first. */
  async listInteractions(
    application: string,
    userId: string,
    limit: number,
    before: InteractionPosition | null,
  ): Promise<InteractionRow[]> {
    // SQLite seeks a row value in the index; written with OR, the query would read all newer rows again.
    const isOlder = before === null ? "" : `AND (i.time, i.id) < (?4, ${storedIdSql("?5")})`;
    const position = before === null ? [] : [encodeTime(before.time), encodeId(before.eventId)];
    const [{ results }] = await this.databases.atPlaceOf(application, userId, ({ database, read }) =>
      read([
        database
          .prepare(
            `SELECT ${interactionColumns} FROM recent_interactions i
             WHERE i.user = ${numberSql("?1", "?2")} ${isOlder} ORDER BY i.time DESC, i.id DESC LIMIT ?3`,
          )
          .bind(application, userId, limit, ...position),
      ]),
    );
    return (results as StoredColumns[]).map(interactionOf);
  }

  /** Returns up to `limit` visits of a user after number `after`, in the order in which they were reported. */
  async listVisits(application: string, userId: string, limit: number, after: number): Promise<VisitRow[]> {
    const [result] = await this.databases.atPlaceOf(application, userId, ({ database, read }) =>
      read([
        database
          .prepare(
            `SELECT * FROM user_locations WHERE application = ?1 AND user_id = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4`,
          )
          .bind(application, userId, after, limit),
      ]),
    );
    return rowsOf(userLocations, result);
  }

  /**
   * Runs one step of an erasure, or of the end of a merge: stores the tombstones and deletes at most `limit` rows of each
   * table, in one transaction. From the first step on, inserts drop the generation. The last step deletes the profile.
   * Totals stay, because they name no user.
   */
  async erase(
    application: string,
    { userId, pseudonym, logPseudonym, generation }: EndedUser,
    end: GenerationEnd,
    limit: number,
    now: number,
  ): Promise<ErasedRecords> {
    const names = [pseudonym, ...(logPseudonym === undefined ? [] : [logPseudonym])];
    const ended =
      end === "erased"
        ? { generation, mergedGeneration: -1 }
        : { generation: -1, mergedGeneration: generation };
    const results = await this.databases.atPlaceOf(application, userId, ({ database, write, bucketOf }) => {
      const prepare = (text: string, ...values: number[]) =>
        database.prepare(text).bind(application, userId, ...values);
      const changes = () => database.prepare("SELECT changes() AS changed");
      const tombstones = openDatabase(database)
        .insert(erasures)
        .values(
          names.map((name) => ({
            ...{ application, pseudonym: name, erasedAt: now, bucket: bucketOf(userId) },
            ...ended,
          })),
        )
        .onConflictDoUpdate({
          target: [erasures.application, erasures.pseudonym],
          set: {
            generation: sql`max(${erasures.generation}, excluded.generation)`,
            mergedGeneration: sql`max(${erasures.mergedGeneration}, excluded.merged_generation)`,
            erasedAt: now,
            bucket: bucketOf(userId),
          },
        });
      return write([
        statementOf(database, tombstones),
        prepare(
          `DELETE FROM recent_interactions WHERE user = ${numberSql("?1", "?2")} AND id IN (
             SELECT i.id FROM recent_interactions i WHERE i.user = ${numberSql("?1", "?2")} LIMIT ?3)`,
          limit,
        ),
        changes(),
        prepare(
          `DELETE FROM user_locations WHERE application = ?1 AND user_id = ?2 AND seq IN (
             SELECT l.seq FROM user_locations l WHERE l.application = ?1 AND l.user_id = ?2 LIMIT ?3)`,
          limit,
        ),
        changes(),
        prepare(
          `DELETE FROM users WHERE application = ?1 AND user_id = ?2
           AND NOT EXISTS (SELECT 1 FROM recent_interactions i WHERE i.user = ${numberSql("?1", "?2")})
           AND NOT EXISTS (SELECT 1 FROM user_locations l WHERE l.application = ?1 AND l.user_id = ?2)`,
        ),
        changes(),
        deleteUnusedNumber(database, application, userId),
      ]);
    });
    const [deletedInteractions, deletedVisits, deletedUsers] = [2, 4, 6].map(
      (i) => (results[i].results as { changed: number }[])[0].changed,
    );
    return {
      interactions: deletedInteractions,
      locations: deletedVisits,
      profiles: deletedUsers,
      more: deletedInteractions >= limit || deletedVisits >= limit,
    };
  }

  /** Returns the tombstones of those pseudonyms that have one. */
  async findTombstones(application: string, pseudonyms: string[]): Promise<Tombstone[]> {
    const lists = await Promise.all(
      this.databases.all.map((database) => readTombstones(database, application, pseudonyms)),
    );
    // A database that had the user's bucket before has a copy.
    const found = new Map<string, Tombstone>();
    for (const tombstone of lists.flat()) {
      const known = found.get(tombstone.pseudonym);
      found.set(tombstone.pseudonym, {
        pseudonym: tombstone.pseudonym,
        generation: Math.max(tombstone.generation, known?.generation ?? -1),
        mergedGeneration: Math.max(tombstone.mergedGeneration, known?.mergedGeneration ?? -1),
      });
    }
    return [...found.values()];
  }

  /** Throws if the migrations have not been applied to every database, or a bucket of users has no database. */
  async probe(): Promise<void> {
    await this.databases.reloadMap();
  }
}
