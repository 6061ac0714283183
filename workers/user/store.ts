import { and, desc, eq, gt, inArray, notExists, sql } from "drizzle-orm";
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
import { limitChanges, limitsOfNew } from "./consent.ts";
import { type Database, databaseOfUser, openDatabase } from "./database.ts";
import {
  groupHoursByProduct,
  hoursTouched,
  type TotalsRow,
  toInteractionJson,
  toVisitJson,
  type UserInteractionBatch,
  type UserVisitBatch,
} from "./interaction-rows.ts";

import { erasures, interactions, userLocations, users } from "./schema.ts";
import {
  insertInteractions,
  insertVisits,
  readAllHours,
  readHours,
  readInteractions,
  readTombstones,
  readUncounted,
  recountTotals,
} from "./statements.ts";

export type UserRow = typeof users.$inferSelect;
export type InteractionRow = typeof interactions.$inferSelect;
export type VisitRow = typeof userLocations.$inferSelect;

/** Maximum number of rows in one statement. The JSON of the largest rows stays below D1's 2 MB for a parameter. */
const maxRowsPerStatement = 2000;

/** Position of an interaction in a user's history, which is ordered by time and event id. */
export interface InteractionPosition {
  time: number;
  eventId: string;
}

/** Position of a recount of the totals: the index of the database, and the last recounted product in it. */
export interface RecountPosition {
  database: number;
  after: string;
}

/** The only access to the user worker's databases. Every query is restricted to one application. */
export class UserStore {
  readonly #databases: D1Database[];
  readonly #defaultConsent: Precision;

  /** `defaultConsent` is the consent of users who state none. */
  constructor(databases: D1Database[], defaultConsent: Precision = usualConsent) {
    this.#databases = databases;
    this.#defaultConsent = defaultConsent;
  }

  #databaseOf(application: string, userId: string): Database {
    return openDatabase(databaseOfUser(this.#databases, application, userId));
  }

  /** Groups rows by the database of their user. */
  #groupByDatabase<R>(application: string, rows: R[], userIdOf: (row: R) => string): [D1Database, R[]][] {
    const groups = new Map<D1Database, R[]>();
    for (const row of rows) {
      const database = databaseOfUser(this.#databases, application, userIdOf(row));
      const group = groups.get(database);
      if (group) group.push(row);
      else groups.set(database, [row]);
    }
    return [...groups];
  }

  /** Returns a user's profile, or null if there is none. */
  async get(application: string, userId: string): Promise<UserRow | null> {
    const rows = await this.#databaseOf(application, userId)
      .select()
      .from(users)
      .where(and(eq(users.application, application), eq(users.userId, userId)));
    return rows[0] ?? null;
  }

  /**
   * Inserts a profile, or replaces all of it but `createdAt` and increments the settings version. Returns the stored
   * row.
   */
  async put(row: UserRow): Promise<UserRow> {
    const rows = await this.#databaseOf(row.application, row.userId)
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
      .returning();
    return rows[0];
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
    const rows = await this.#databaseOf(application, userId)
      .update(users)
      .set({
        ...changes,
        settingsVersion: sql`${users.settingsVersion} + 1`,
        updatedAt: now,
        ...(changes.precision === undefined ? {} : limitChanges(changes.precision ?? this.#defaultConsent)),
      })
      .where(and(eq(users.application, application), eq(users.userId, userId)))
      .returning();
    return rows[0] ?? null;
  }

  /** Returns up to `limit` profiles of all databases by user id, ascending, after `after`. */
  async list(application: string, limit: number, after: string | null): Promise<UserRow[]> {
    const lists = await Promise.all(
      this.#databases.map((database) =>
        openDatabase(database)
          .select()
          .from(users)
          .where(
            and(eq(users.application, application), after === null ? undefined : gt(users.userId, after)),
          )
          .orderBy(users.userId)
          .limit(limit),
      ),
    );
    return lists
      .flat()
      .sort((a, b) => compareUtf8(a.userId, b.userId))
      .slice(0, limit);
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
    batchId: string,
    now: number,
  ): Promise<{
    inserted: number;
    totals: ProductTotals[];
    uncounted: { userId: string; eventId: string }[];
  }> {
    const rows = toInteractionJson(batch);
    const uncounted: { userId: string; eventId: string }[] = [];
    const inserted = await Promise.all(
      this.#groupByDatabase(application, rows, (row) => row.u).map(async ([database, part]) => {
        let sum = 0;
        for (let i = 0; i < part.length; i += maxRowsPerStatement)
          sum += await insertInteractions(
            database,
            application,
            part.slice(i, i + maxRowsPerStatement),
            // Rows of an earlier part must not pass for rows of this one.
            `${batchId}:${i}`,
            now,
            this.#defaultConsent,
          );
        const ofNetworks = part.filter(({ n }) => n !== null);
        if (ofNetworks.length > 0)
          uncounted.push(...(await readUncounted(database, application, ofNetworks)));
        return sum;
      }),
    );
    const touched = hoursTouched(rows);
    const hours = await this.#readHoursEverywhere((database) => readHours(database, application, touched));
    return {
      inserted: inserted.reduce((sum, each) => sum + each, 0),
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
    const groups = this.#groupByDatabase(application, [...events], ({ userId }) => userId);
    const parts = groups.flatMap(([database, part]) =>
      Array.from({ length: Math.ceil(part.length / maxRowsPerStatement) }, (_, i) =>
        readInteractions(
          database,
          application,
          part.slice(i * maxRowsPerStatement, (i + 1) * maxRowsPerStatement),
        ),
      ),
    );
    return (await Promise.all(parts)).flat();
  }

  /** Reads hourly rows from all databases, ascending by hour. */
  async #readHoursEverywhere(read: (database: D1Database) => Promise<TotalsRow[]>): Promise<TotalsRow[]> {
    const parts = await Promise.all(this.#databases.map(read));
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

  /** Recounts the totals of some products, one database after the other. `next` is null after the last product. */
  async recountTotals(
    application: string,
    { database, after }: RecountPosition,
    limit: number,
  ): Promise<{ products: number; next: RecountPosition | null }> {
    const { products, last } = await recountTotals(this.#databases[database], application, after, limit);
    if (last !== null) return { products, next: { database, after: last } };
    return {
      products,
      next: database + 1 < this.#databases.length ? { database: database + 1, after: "" } : null,
    };
  }

  /**
   * Inserts visits. Ignores visits that exist already (same user and `seq`) and visits of an erased generation. Returns
   * the number of inserted rows.
   */
  async recordLocations(application: string, batch: UserVisitBatch[]): Promise<number> {
    const rows = toVisitJson(batch);
    const inserted = await Promise.all(
      this.#groupByDatabase(application, rows, (row) => row.u).map(([database, part]) =>
        insertVisits(database, application, part, this.#defaultConsent),
      ),
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
    return this.#databaseOf(application, userId)
      .select()
      .from(interactions)
      .where(
        and(
          eq(interactions.application, application),
          eq(interactions.userId, userId),
          // SQLite seeks a row value in the index; written with `or`, the query would read all newer rows again.
          before === null
            ? undefined
            : sql`(${interactions.time}, ${interactions.eventId}) < (${before.time}, ${before.eventId})`,
        ),
      )
      .orderBy(desc(interactions.time), desc(interactions.eventId))
      .limit(limit);
  }

  /** Returns up to `limit` visits of a user after number `after`, in the order in which they were reported. */
  async listVisits(application: string, userId: string, limit: number, after: number): Promise<VisitRow[]> {
    return this.#databaseOf(application, userId)
      .select()
      .from(userLocations)
      .where(
        and(
          eq(userLocations.application, application),
          eq(userLocations.userId, userId),
          gt(userLocations.seq, after),
        ),
      )
      .orderBy(userLocations.seq)
      .limit(limit);
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
    const ended =
      end === "erased"
        ? { generation, mergedGeneration: -1 }
        : { generation: -1, mergedGeneration: generation };
    const db = this.#databaseOf(application, userId);
    const ofUser = (table: typeof interactions | typeof userLocations) =>
      and(eq(table.application, application), eq(table.userId, userId));
    const interactionIds = db
      .select({ id: interactions.eventId })
      .from(interactions)
      .where(ofUser(interactions))
      .limit(limit);
    const visitSeqs = db
      .select({ seq: userLocations.seq })
      .from(userLocations)
      .where(ofUser(userLocations))
      .limit(limit);
    const [, deletedInteractions, deletedVisits, deletedUsers] = await db.batch([
      db
        .insert(erasures)
        .values(
          [pseudonym, ...(logPseudonym === undefined ? [] : [logPseudonym])].map((name) => ({
            ...{ application, pseudonym: name, erasedAt: now },
            ...ended,
          })),
        )
        .onConflictDoUpdate({
          target: [erasures.application, erasures.pseudonym],
          set: {
            generation: sql`max(${erasures.generation}, excluded.generation)`,
            mergedGeneration: sql`max(${erasures.mergedGeneration}, excluded.merged_generation)`,
            erasedAt: now,
          },
        }),
      db.delete(interactions).where(and(ofUser(interactions), inArray(interactions.eventId, interactionIds))),
      db.delete(userLocations).where(and(ofUser(userLocations), inArray(userLocations.seq, visitSeqs))),
      db
        .delete(users)
        .where(
          and(
            eq(users.application, application),
            eq(users.userId, userId),
            notExists(db.select({ one: sql`1` }).from(interactions).where(ofUser(interactions))),
            notExists(db.select({ one: sql`1` }).from(userLocations).where(ofUser(userLocations))),
          ),
        ),
    ]);
    const more = deletedInteractions.meta.changes >= limit || deletedVisits.meta.changes >= limit;
    return {
      interactions: deletedInteractions.meta.changes,
      locations: deletedVisits.meta.changes,
      profiles: deletedUsers.meta.changes,
      more,
    };
  }

  /** Returns the tombstones of those pseudonyms that have one. */
  async findTombstones(application: string, pseudonyms: string[]): Promise<Tombstone[]> {
    const lists = await Promise.all(
      this.#databases.map((database) => readTombstones(database, application, pseudonyms)),
    );
    return lists.flat();
  }

  /** Throws if the migrations have not been applied to every database. */
  async probe(): Promise<void> {
    await Promise.all(
      this.#databases.map((database) =>
        openDatabase(database).select({ application: users.application }).from(users).limit(1),
      ),
    );
  }
}
