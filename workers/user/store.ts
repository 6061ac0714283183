import { and, desc, eq, gt, inArray, notExists, sql } from "drizzle-orm";
import type { PlaceVisit } from "../../shared/contracts/queues.ts";
import { type ProductTotals, sumTotals, type Totals } from "../../shared/contracts/totals.ts";
import { type Database, databaseOfUser, openDatabase } from "./database.ts";
import {
  groupHoursByProduct,
  hoursTouched,
  type TotalsRow,
  toInteractionJson,
  type UserInteractions,
} from "./interaction-rows.ts";
import { erasures, interactions, userLocations, users } from "./schema.ts";
import {
  insertInteractions,
  insertVisits,
  readAllHours,
  readHours,
  readTombstones,
  recountTotals,
} from "./statements.ts";

export type UserRow = typeof users.$inferSelect;
export type InteractionRow = typeof interactions.$inferSelect;
export type VisitRow = typeof userLocations.$inferSelect;

/** Rows that a list crosses in: at their largest they stay below the 2 MB that a parameter may have. */
const maxRowsPerStatement = 2000;

/** Where a page of history ended. */
export interface InteractionPosition {
  time: number;
  eventId: string;
}

/** How far counting totals anew is: in which database, after which product. */
export interface RecountPosition {
  database: number;
  after: string;
}

/** Where one person was. */
export type UserVisits = Omit<UserInteractions, "interactions"> & { visits: PlaceVisit[] };

/** What one step of an erasure removed, and whether there is more. */
export interface ErasedRows {
  interactions: number;
  locations: number;
  profiles: number;
  more: boolean;
}

/** All that the user worker asks of its databases. Every query begins with the application. */
export class UserStore {
  readonly #databases: D1Database[];

  constructor(databases: D1Database[]) {
    this.#databases = databases;
  }

  #databaseOf(application: string, userId: string): Database {
    return openDatabase(databaseOfUser(this.#databases, application, userId));
  }

  /** Rows by the database that holds their person. */
  #groupByDatabase<R>(application: string, rows: R[], userOf: (row: R) => string): [D1Database, R[]][] {
    const spread = new Map<D1Database, R[]>();
    for (const row of rows) {
      const database = databaseOfUser(this.#databases, application, userOf(row));
      const together = spread.get(database);
      if (together) together.push(row);
      else spread.set(database, [row]);
    }
    return [...spread];
  }

  async get(application: string, userId: string): Promise<UserRow | null> {
    const rows = await this.#databaseOf(application, userId)
      .select()
      .from(users)
      .where(and(eq(users.application, application), eq(users.userId, userId)));
    return rows[0] ?? null;
  }

  /** Inserts or replaces all but `createdAt`; the settings version grows. Answers the row as stored. */
  async put(row: UserRow): Promise<UserRow> {
    const rows = await this.#databaseOf(row.application, row.userId)
      .insert(users)
      .values(row)
      .onConflictDoUpdate({
        target: [users.application, users.userId],
        set: {
          homeLat: row.homeLat,
          homeLon: row.homeLon,
          precision: row.precision,
          attributes: row.attributes,
          settingsVersion: sql`${users.settingsVersion} + 1`,
          updatedAt: row.updatedAt,
        },
      })
      .returning();
    return rows[0];
  }

  /** Changes the named columns in one statement, so that concurrent changes of others are kept. */
  async patch(
    application: string,
    userId: string,
    changes: Partial<UserRow>,
    now: number,
  ): Promise<UserRow | null> {
    const rows = await this.#databaseOf(application, userId)
      .update(users)
      .set({ ...changes, settingsVersion: sql`${users.settingsVersion} + 1`, updatedAt: now })
      .where(and(eq(users.application, application), eq(users.userId, userId)))
      .returning();
    return rows[0] ?? null;
  }

  /** By id, ascending, after `after`. */
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
      .sort((a, b) => (a.userId < b.userId ? -1 : 1))
      .slice(0, limit);
  }

  /**
   * Inserts what is unseen, with its totals in the same transaction. Answers, of all products named, the hours that were named
   * as they are afterwards: whichever of several concurrent calls commits last sees, and answers, what all of them did.
   */
  async recordInteractions(
    application: string,
    batch: UserInteractions[],
    mark: string,
    now: number,
  ): Promise<{ inserted: number; totals: ProductTotals[] }> {
    const rows = toInteractionJson(batch);
    const inserted = await Promise.all(
      this.#groupByDatabase(application, rows, (row) => row.u).map(async ([database, part]) => {
        let sum = 0;
        for (let i = 0; i < part.length; i += maxRowsPerStatement)
          sum += await insertInteractions(
            database,
            application,
            part.slice(i, i + maxRowsPerStatement),
            mark,
            now,
          );
        return sum;
      }),
    );
    const named = hoursTouched(rows);
    const hours = await this.#readHoursEverywhere((database) => readHours(database, application, named));
    return {
      inserted: inserted.reduce((sum, each) => sum + each, 0),
      totals: [...groupHoursByProduct(named.keys(), hours)].map(([productId, hours]) => ({
        productId,
        complete: false,
        hours,
      })),
    };
  }

  /** Hour rows from every database, ascending by hour. */
  async #readHoursEverywhere(read: (database: D1Database) => Promise<TotalsRow[]>): Promise<TotalsRow[]> {
    const parts = await Promise.all(this.#databases.map(read));
    return parts.length === 1 ? parts[0] : parts.flat().sort((a, b) => a.hour - b.hour);
  }

  /** Lifetime totals, in the order of the ids. */
  async lifetimeTotals(application: string, productIds: string[]): Promise<Totals[]> {
    return (await this.hourlyTotals(application, productIds)).map(({ hours }) => sumTotals(hours));
  }

  /** Absolute totals of all hours, in the order of the ids. */
  async hourlyTotals(application: string, productIds: string[]): Promise<ProductTotals[]> {
    const rows = await this.#readHoursEverywhere((database) =>
      readAllHours(database, application, productIds),
    );
    const hours = groupHoursByProduct(productIds, rows);
    return productIds.map((productId) => ({ productId, complete: true, hours: hours.get(productId) ?? [] }));
  }

  /** Counts totals of some products anew, database by database. Answers where to go on; null after the last. */
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

  /** Inserts visits; those seen before, by sequence number, and those of before an erasure change nothing. */
  async recordLocations(application: string, batch: UserVisits[]): Promise<number> {
    const rows = batch.flatMap(({ userId, pseudonym, generation, visits }) =>
      visits.map((visit) => ({ ...visit, u: userId, o: pseudonym, g: generation, s: visit.time })),
    );
    const inserted = await Promise.all(
      this.#groupByDatabase(application, rows, (row) => row.u).map(([database, part]) =>
        insertVisits(database, application, part),
      ),
    );
    return inserted.reduce((sum, each) => sum + each, 0);
  }

  /** A person's interactions, newest first. */
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
          // As one row value, which SQLite seeks in the index; as `or` it would read all that is newer again.
          before === null
            ? undefined
            : sql`(${interactions.time}, ${interactions.eventId}) < (${before.time}, ${before.eventId})`,
        ),
      )
      .orderBy(desc(interactions.time), desc(interactions.eventId))
      .limit(limit);
  }

  /** A person's visits, in the order in which they were taken, after `after`. */
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
   * One step of an erasure, at most `limit` rows of each table, in one transaction with the tombstone: from the first
   * step on nothing of this life, or one before, is inserted any more. The profile goes with the last rows. Totals stay:
   * they name nobody.
   */
  async erase(
    application: string,
    { userId, pseudonym, generation }: { userId: string; pseudonym: string; generation: number },
    limit: number,
    now: number,
  ): Promise<ErasedRows> {
    const db = this.#databaseOf(application, userId);
    const ofUser = (table: typeof interactions | typeof userLocations) =>
      and(eq(table.application, application), eq(table.userId, userId));
    const some = db
      .select({ id: interactions.eventId })
      .from(interactions)
      .where(ofUser(interactions))
      .limit(limit);
    const somePlaces = db
      .select({ seq: userLocations.seq })
      .from(userLocations)
      .where(ofUser(userLocations))
      .limit(limit);
    const [, done, places, gone] = await db.batch([
      db
        .insert(erasures)
        .values({ application, pseudonym, generation, erasedAt: now })
        .onConflictDoUpdate({
          target: [erasures.application, erasures.pseudonym],
          set: { generation: sql`max(${erasures.generation}, excluded.generation)`, erasedAt: now },
        }),
      db.delete(interactions).where(and(ofUser(interactions), inArray(interactions.eventId, some))),
      db.delete(userLocations).where(and(ofUser(userLocations), inArray(userLocations.seq, somePlaces))),
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
    const more = done.meta.changes >= limit || places.meta.changes >= limit;
    return {
      interactions: done.meta.changes,
      locations: places.meta.changes,
      profiles: gone.meta.changes,
      more,
    };
  }

  /** The tombstones among these pseudonyms. */
  async findTombstones(
    application: string,
    pseudonyms: string[],
  ): Promise<{ pseudonym: string; generation: number }[]> {
    const lists = await Promise.all(
      this.#databases.map((database) => readTombstones(database, application, pseudonyms)),
    );
    return lists.flat();
  }

  /** Fails where the migrations have not been applied. */
  async probe(): Promise<void> {
    await Promise.all(
      this.#databases.map((database) =>
        openDatabase(database).select({ application: users.application }).from(users).limit(1),
      ),
    );
  }
}
