import { and, desc, eq, gt, inArray, lt, or, sql } from "drizzle-orm";
import { eventTypes } from "../shared/contracts/event.ts";
import type { PlaceVisit } from "../shared/contracts/queues.ts";
import { emptyTotals, type ProductTotals, type Totals } from "../shared/contracts/totals.ts";
import { type Database, databaseOf, open } from "./database.ts";
import { type PersonBatch, rowsOf, type TotalsRow, totalsOf } from "./record.ts";
import { erasures, interactions, interactionTotals, userLocations, users } from "./schema.ts";

export type UserRow = typeof users.$inferSelect;
export type InteractionRow = typeof interactions.$inferSelect;

/** Where a page of history ended. */
export interface HistoryPosition {
  time: number;
  eventId: string;
}

/** All that the user worker asks of its database. Every query begins with the application. */
export class UserStore {
  readonly #env: { DB: D1Database };

  constructor(env: { DB: D1Database }) {
    this.#env = env;
  }

  #of(application: string, person: string): Database {
    return open(databaseOf(this.#env, application, person));
  }

  async get(application: string, userId: string): Promise<UserRow | null> {
    const rows = await this.#of(application, userId)
      .select()
      .from(users)
      .where(and(eq(users.application, application), eq(users.userId, userId)));
    return rows[0] ?? null;
  }

  /** Inserts or replaces all but `createdAt`; the settings version grows. Answers the row as stored. */
  async put(row: UserRow): Promise<UserRow> {
    const rows = await this.#of(row.application, row.userId)
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

  /** By id, ascending, after `after`. */
  async list(application: string, limit: number, after: string | null): Promise<UserRow[]> {
    return this.#of(application, "")
      .select()
      .from(users)
      .where(and(eq(users.application, application), after === null ? undefined : gt(users.userId, after)))
      .orderBy(users.userId)
      .limit(limit);
  }

  /**
   * One transaction: insert what is unseen, and add to the hourly totals exactly the rows that carry this
   * call's `batch` mark, found through their primary key (CROSS JOIN keeps SQLite from scanning the table instead). A
   * repeated call inserts nothing, so no row
   * carries its mark and the totals stay.
   */
  async record(
    application: string,
    batch: PersonBatch[],
    hashes: Map<string, string>,
    mark: string,
    now: number,
  ): Promise<{ inserted: number; totals: ProductTotals[] }> {
    const rows = rowsOf(batch, hashes);
    const products = [...new Set(rows.map((row) => row.p))];
    const list = JSON.stringify(rows);
    const database = databaseOf(this.#env, application, "");
    const counts = eventTypes.map((type) => `sum(i.type = '${type}')`).join(", ");
    const additions = [...eventTypes, "people"]
      .map((name) => `"${name}" = "${name}" + excluded."${name}"`)
      .join(", ");
    // drizzle's batch takes no raw statements with parameters: these are D1's own.
    const [, inserted, , totals] = await database.batch<TotalsRow>([
      database
        .prepare(
          `INSERT OR IGNORE INTO users
           SELECT DISTINCT ?1, j.value ->> 'u', NULL, NULL, 'exact', '{}', 0, ?3, ?3 FROM json_each(?2) j`,
        )
        .bind(application, list, now),
      database
        .prepare(
          `INSERT OR IGNORE INTO interactions
           SELECT ?1, j.value ->> 'u', j.value ->> 'e', j.value ->> 't', j.value ->> 'p', j.value ->> 's',
             j.value ->> 'la', j.value ->> 'lo', j.value ->> 'r', j.value ->> 'f', ?3
           FROM json_each(?2) j
           WHERE NOT EXISTS (SELECT 1 FROM erasures e WHERE e.application = ?1
             AND e.person = j.value ->> 'h' AND j.value ->> 's' <= e.erased_at)`,
        )
        .bind(application, list, mark),
      database
        .prepare(
          `INSERT INTO interaction_totals
           SELECT ?1, i.product_id, CAST(floor(i.time / 3600) AS INTEGER), ${counts}, sum(i.first)
           FROM json_each(?2) j CROSS JOIN interactions i
             ON i.application = ?1 AND i.user_id = j.value ->> 'u' AND i.event_id = j.value ->> 'e'
           WHERE i.batch = ?3
           GROUP BY 2, 3
           ON CONFLICT DO UPDATE SET ${additions}`,
        )
        .bind(application, list, mark),
      database
        .prepare(
          `SELECT product_id AS productId, hour, view, click, cart, purchase, dismiss, people FROM interaction_totals
           WHERE application = ?1 AND product_id IN (SELECT value FROM json_each(?2)) ORDER BY product_id, hour`,
        )
        .bind(application, JSON.stringify(products)),
    ]);
    return { inserted: inserted.meta.changes, totals: totalsOf(products, totals.results) };
  }

  #totals(db: Database, application: string, productIds: string[]) {
    return db
      .select({
        productId: interactionTotals.productId,
        hour: interactionTotals.hour,
        view: interactionTotals.view,
        click: interactionTotals.click,
        cart: interactionTotals.cart,
        purchase: interactionTotals.purchase,
        dismiss: interactionTotals.dismiss,
        people: interactionTotals.people,
      })
      .from(interactionTotals)
      .where(
        and(
          eq(interactionTotals.application, application),
          inArray(
            interactionTotals.productId,
            sql`(SELECT value FROM json_each(${JSON.stringify(productIds)}))`,
          ),
        ),
      )
      .orderBy(interactionTotals.productId, interactionTotals.hour);
  }

  /** Lifetime totals, in the order of the ids. */
  async totals(application: string, productIds: string[]): Promise<Totals[]> {
    const rows: TotalsRow[] = await this.#totals(this.#of(application, ""), application, productIds);
    const found = new Map(totalsOf(productIds, rows).map((each) => [each.productId, each.lifetime]));
    return productIds.map((id) => found.get(id) ?? emptyTotals());
  }

  /** Inserts visits; those seen before, by sequence number, change nothing. */
  async recordLocations(
    application: string,
    batch: { userId: string; visits: PlaceVisit[] }[],
  ): Promise<number> {
    const list = JSON.stringify(
      batch.flatMap(({ userId, visits }) => visits.map((visit) => ({ ...visit, userId }))),
    );
    const result = await this.#of(application, "").run(sql`
      INSERT OR IGNORE INTO user_locations
      SELECT ${application}, j.value ->> 'userId', j.value ->> 'seq', j.value ->> 'lat', j.value ->> 'lon',
        j.value ->> 'precision', j.value ->> 'time'
      FROM json_each(${list}) j`);
    return result.meta.changes;
  }

  /** A person's interactions, newest first. */
  async history(
    application: string,
    userId: string,
    limit: number,
    before: HistoryPosition | null,
  ): Promise<InteractionRow[]> {
    return this.#of(application, userId)
      .select()
      .from(interactions)
      .where(
        and(
          eq(interactions.application, application),
          eq(interactions.userId, userId),
          before === null
            ? undefined
            : or(
                lt(interactions.time, before.time),
                and(eq(interactions.time, before.time), lt(interactions.eventId, before.eventId)),
              ),
        ),
      )
      .orderBy(desc(interactions.time), desc(interactions.eventId))
      .limit(limit);
  }

  /** One transaction: a tombstone, and no row of the person left. Totals stay: they name nobody. */
  async erase(
    application: string,
    userId: string,
    person: string,
    now: number,
  ): Promise<{ interactions: number; locations: number }> {
    const db = this.#of(application, userId);
    const [, gone, places] = await db.batch([
      db
        .insert(erasures)
        .values({ application, person, erasedAt: now })
        .onConflictDoUpdate({ target: [erasures.application, erasures.person], set: { erasedAt: now } }),
      db
        .delete(interactions)
        .where(and(eq(interactions.application, application), eq(interactions.userId, userId))),
      db
        .delete(userLocations)
        .where(and(eq(userLocations.application, application), eq(userLocations.userId, userId))),
      db.delete(users).where(and(eq(users.application, application), eq(users.userId, userId))),
    ]);
    return { interactions: gone.meta.changes, locations: places.meta.changes };
  }

  /** Fails where the migrations have not been applied. */
  async probe(): Promise<void> {
    await this.#of("", "").select({ application: users.application }).from(users).limit(1);
  }
}
