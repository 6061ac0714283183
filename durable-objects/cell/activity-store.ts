import type { CellProduct } from "../../model/tiles/cell-product.ts";
import {
  type HourTotals,
  mergeHours,
  type ProductTotals,
  sumOfCounts,
  sumTotals,
} from "../../shared/contracts/totals.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import { hasTable } from "../has-table.ts";
import { CountedKeys } from "./counted-keys.ts";
import { decodeHours, emptyHours } from "./hours.ts";
import { HoursTable } from "./hours-table.ts";
import {
  addToSummary,
  emptyPending,
  mergeDeltas,
  type PendingDelta,
  type PendingSummary,
  type ProductActivity,
  type TransitionDelta,
  transitionKeysOf,
} from "./pending-deltas.ts";
import {
  keptNextProducts,
  mergeNextProducts,
  type StoredNextProduct,
  shownNextProducts,
} from "./stored-next-products.ts";

/** Result of {@link ActivityStore.apply}. */
export interface AppliedActivity {
  /** By how much the sum of all counts grew. */
  counted: number;
  /** Numbers of the key chunks that were written. */
  keyChunks: number[];
  /** Products whose stored hours are missing or incomplete, so that the caller must send all hours. */
  unknown: string[];
}

/** How long keys of transitions are stored, in seconds: longer than any message is retried. */
const keyLifetimeSeconds = 14 * daySeconds;
/** Maximum number of pending deltas, and of characters in all of them. */
const maxPendingDeltas = 512;
const maxPendingCharacters = 1_048_576;
/** Maximum number of characters of one pending delta. A row of the table holds at most two megabytes. */
const maxDeltaCharacters = 524_288;

/** The stored and pending interaction counts of a product. */
interface KnownCounts {
  /** First hour from which each hour is stored exactly. */
  exactFrom: number;
  /** Sum of all counts by hour. */
  hours: Map<number, number>;
}

/**
 * The interactions and transitions of a cell's products. A call writes one row, a pending delta, whatever the number of
 * its events. Once there are many, pending deltas are compacted into hours, next products and keys: a product
 * that was chosen ten times meanwhile is then written once. Every method is synchronous, so that a caller can run
 * several in one transaction.
 */
export class ActivityStore {
  readonly #sql: SqlStorage;
  readonly #keys: CountedKeys;
  readonly #hours: HoursTable;
  #cachedPending: PendingSummary | null = null;
  #compactions = 0;

  /** Number of different users behind a transition from which on tiles show it. */
  readonly #minUsers: number;

  constructor(sql: SqlStorage, minUsers: number) {
    this.#sql = sql;
    this.#minUsers = minUsers;
    this.#keys = new CountedKeys(sql);
    this.#hours = new HoursTable(sql);
  }

  /**
   * Creates the tables, and drops tables of earlier versions, whose format differs. A product's next event restores all
   * of its hours; earlier transitions are lost.
   */
  createTables(): void {
    if (hasTable(this.#sql, "totals"))
      this.#sql.exec(
        "DROP TABLE totals; DROP TABLE IF EXISTS pending_deltas; DROP TABLE IF EXISTS compacted;",
      );
    this.#sql.exec(`
      DROP TABLE IF EXISTS followers;
      DROP TABLE IF EXISTS steps;
      CREATE TABLE IF NOT EXISTS next_products (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS pending_deltas (
        slot INTEGER PRIMARY KEY, seq INTEGER NOT NULL, counted INTEGER NOT NULL, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS compacted (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
    `);
    this.#hours.createTable();
    this.#keys.createTable();
  }

  /** Drops cached rows, after `ShardMigration` wrote the tables or a transaction failed. */
  invalidate(): void {
    this.#cachedPending = null;
    this.#keys.invalidate();
  }

  get #pending(): PendingSummary {
    this.#cachedPending ??= this.#summarize();
    return this.#cachedPending;
  }

  #summarize(): PendingSummary {
    const [row] = this.#sql.exec<{ seq: number }>("SELECT seq FROM compacted").toArray();
    const compactedSeq = row?.seq ?? 0;
    const summary = { ...emptyPending(), seq: compactedSeq, compactedSeq };
    for (const { seq, body } of this.#pendingRows(compactedSeq)) addToSummary(summary, seq, body);
    return summary;
  }

  #pendingRows(compactedSeq: number): { seq: number; body: string }[] {
    return this.#sql
      .exec<{ seq: number; body: string }>(
        "SELECT seq, body FROM pending_deltas WHERE seq > ? ORDER BY seq",
        compactedSeq,
      )
      .toArray();
  }

  /** Returns the pending deltas, oldest first. The rows are not validated, because this class wrote them. */
  #readPending(): PendingDelta[] {
    return this.#pendingRows(this.#pending.compactedSeq).map(({ body }) => JSON.parse(body));
  }

  /** Returns the sequence number of the last call that wrote a pending delta. */
  get seq(): number {
    return this.#pending.seq;
  }

  /** Returns how often this instance wrote interactions that the pending deltas do not, or no longer, contain. */
  get compactions(): number {
    return this.#compactions;
  }

  /** Returns the number of pending interactions that calls after `seq` counted. */
  countedAfter(seq: number): number {
    return this.#sql
      .exec<{ sum: number }>(
        "SELECT coalesce(sum(counted), 0) AS sum FROM pending_deltas WHERE seq > ?",
        Math.max(seq, this.#pending.compactedSeq),
      )
      .one().sum;
  }

  /**
   * Applies hours whose counts are larger than the stored ones, and transitions that were not counted before. The
   * lifetime of a key begins at `now` (seconds), not at the time of its event: imported history is older than the
   * lifetime, and may be imported twice. If `defer` is true, the delta stays pending; otherwise it is compacted at once.
   */
  apply(
    totals: readonly ProductTotals[],
    transitions: readonly TransitionDelta[],
    now: number,
    defer: boolean,
  ): AppliedActivity {
    const { delta, counted, unknown } = this.#deltaOf(totals, transitions, now);
    if (delta.totals.length === 0 && delta.transitions.length === 0)
      return { counted, keyChunks: [], unknown };
    const body = JSON.stringify(delta);
    const pending = this.#pending;
    const isFull =
      body.length > maxPendingCharacters - pending.characters ||
      pending.seq - pending.compactedSeq >= maxPendingDeltas;
    if (!defer || isFull) this.compact(now);
    if (!defer || body.length > maxDeltaCharacters)
      return { counted, keyChunks: this.#writeCompacted([delta], now), unknown };
    const seq = this.seq + 1;
    this.#sql.exec(
      `INSERT INTO pending_deltas VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq, counted = excluded.counted, body = excluded.body`,
      seq % maxPendingDeltas,
      seq,
      counted,
      body,
    );
    addToSummary(this.#pending, seq, body);
    return { counted, keyChunks: [], unknown };
  }

  /** Returns the part of a call that was not counted before, by how much it counts, and the unknown products. */
  #deltaOf(
    totals: readonly ProductTotals[],
    transitions: readonly TransitionDelta[],
    now: number,
  ): { delta: PendingDelta; counted: number; unknown: string[] } {
    const knownCounts = this.#knownCounts(totals);
    const unknown = new Set<string>();
    const newHours = new Map<string, Map<number, HourTotals>>();
    let counted = 0;
    for (const { productId, complete, hours } of totals) {
      const known =
        knownCounts.get(productId) ??
        (complete ? { exactFrom: emptyHours.exactFrom, hours: new Map() } : null);
      // Rolled-up hours can only be replaced together.
      if (known && complete && known.exactFrom > emptyHours.exactFrom) {
        counted += this.#replaceIfMore(productId, hours, known, now);
        continue;
      }
      if (!known || hours.some(({ hour }) => hour >= emptyHours.exactFrom && hour < known.exactFrom)) {
        unknown.add(productId);
        continue;
      }
      knownCounts.set(productId, known);
      for (const each of hours) {
        const added = sumOfCounts(each) - (known.hours.get(each.hour) ?? 0);
        if (added <= 0) continue;
        counted += added;
        known.hours.set(each.hour, sumOfCounts(each));
        const productHours = newHours.get(productId) ?? new Map<number, HourTotals>();
        newHours.set(productId, productHours.set(each.hour, each));
      }
    }
    const pendingKeys = this.#pending.keys;
    const candidates = transitions.filter(({ key }) => !pendingKeys.has(key));
    const countedKeys = this.#keys.countedAmong(candidates);
    // Two messages of one batch may contain the same transition.
    const added = new Map<number, TransitionDelta>();
    for (const each of candidates) if (!countedKeys.has(each.key)) added.set(each.key, each);
    return {
      delta: {
        totals: [...newHours].map(([productId, hours]) => ({ productId, hours: [...hours.values()] })),
        transitions: [...added.values()],
      },
      counted,
      unknown: [...unknown],
    };
  }

  /** Replaces all hours of a product if the new ones count more. Returns by how much they do. */
  #replaceIfMore(id: string, hours: readonly HourTotals[], known: KnownCounts, now: number): number {
    const before = [...known.hours.values()].reduce((sum, count) => sum + count, 0);
    const added = sumOfCounts(sumTotals(hours)) - before;
    if (added <= 0) return 0;
    // The pending deltas do not contain these interactions.
    this.#compactions++;
    this.replaceHours([id], [{ productId: id, complete: true, hours: [...hours] }], now);
    return added;
  }

  /**
   * Returns the sums of counts by hour of those products that have stored or pending hours: in all hours for products
   * whose totals are complete, otherwise in the hours that `totals` names.
   */
  #knownCounts(totals: readonly ProductTotals[]): Map<string, KnownCounts> {
    const knownCounts = new Map<string, KnownCounts>();
    const add = (id: string, exactFrom: number, hours: Iterable<readonly [number, number]>): void => {
      const known = knownCounts.get(id) ?? { exactFrom, hours: new Map<number, number>() };
      knownCounts.set(id, known);
      for (const [hour, count] of hours) known.hours.set(hour, Math.max(known.hours.get(hour) ?? 0, count));
    };
    const completeIds = totals.flatMap(({ complete, productId }) => (complete ? [productId] : []));
    for (const [id, { exactFrom, hours }] of this.#hours.read(completeIds))
      add(
        id,
        exactFrom,
        hours.map((each) => [each.hour, sumOfCounts(each)] as const),
      );
    for (const { id, exactFrom, hour, sum } of this.#hours.readNamed(
      totals.filter(({ complete }) => !complete),
    ))
      add(id, exactFrom, sum === null ? [] : [[hour, sum]]);
    for (const { productId } of totals) {
      const pendingHours = this.#pending.counts.get(productId);
      if (pendingHours) add(productId, emptyHours.exactFrom, pendingHours);
    }
    return knownCounts;
  }

  /** Compacts all pending deltas into the tables by product. */
  compact(now: number): void {
    const { seq, compactedSeq } = this.#pending;
    if (seq === compactedSeq) return;
    this.#writeCompacted(this.#readPending(), now);
    this.#sql.exec("INSERT INTO compacted VALUES (1, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq", seq);
    this.#cachedPending = { ...emptyPending(), seq, compactedSeq: seq };
  }

  /** Writes deltas into the tables by product. Returns the numbers of the key chunks that were written. */
  #writeCompacted(deltas: readonly PendingDelta[], now: number): number[] {
    this.#compactions++;
    const activity = new Map<string, ProductActivity>();
    mergeDeltas(activity, deltas, this.#minUsers);
    const withNext = [...activity].flatMap(([id, { nextProducts }]) => (nextProducts.length > 0 ? [id] : []));
    const storedNext = this.#readNextProducts(withNext);
    const withHours = [...activity].flatMap(([id, { hours }]) => (hours.length > 0 ? [id] : []));
    const storedHours = this.#hours.read(withHours);
    for (const [id, { hours, nextProducts }] of activity) {
      if (hours.length > 0) {
        const stored = storedHours.get(id) ?? emptyHours;
        this.#hours.put(id, { ...stored, hours: mergeHours(stored.hours, hours) });
      }
      if (nextProducts.length === 0) continue;
      const all = mergeNextProducts(storedNext.get(id) ?? [], nextProducts, this.#minUsers);
      this.#sql.exec(
        "INSERT INTO next_products VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
        id,
        JSON.stringify(keptNextProducts(all, this.#minUsers)),
      );
    }
    return this.#keys.add(transitionKeysOf(deltas.flatMap(({ transitions }) => transitions)), now);
  }

  #readNextProducts(ids: readonly string[]): Map<string, StoredNextProduct[]> {
    const rows = this.#sql.exec<{ id: string; body: string }>(
      "SELECT n.id, n.body FROM json_each(?) e CROSS JOIN next_products n ON n.id = e.value",
      JSON.stringify(ids),
    );
    return new Map(rows.toArray().map(({ id, body }) => [id, JSON.parse(body)]));
  }

  /**
   * Returns a function that merges a product's rows of `hours` and `next_products` with its pending deltas, for its row
   * in a tile: without transitions that too few users made. The function holds only pending deltas in memory, because
   * the stored hours of all products of a cell may be large.
   */
  reader(): (
    id: string,
    hours: string | null,
    nextProducts: string | null,
  ) => Pick<CellProduct, "hours" | "nextProducts"> {
    const minUsers = this.#minUsers;
    const pending = new Map<string, ProductActivity>();
    mergeDeltas(pending, this.#readPending(), minUsers);
    return (id, hours, nextProducts) => {
      const stored: ProductActivity = {
        hours: hours ? decodeHours(hours) : [],
        nextProducts: nextProducts ? JSON.parse(nextProducts) : [],
      };
      const added = pending.get(id);
      const merged = added
        ? mergeNextProducts(stored.nextProducts, added.nextProducts, minUsers)
        : stored.nextProducts;
      return {
        hours: added ? mergeHours(stored.hours, added.hours) : stored.hours,
        nextProducts: shownNextProducts(merged, minUsers),
      };
    };
  }

  /** Deletes the hours of products, stored and pending. */
  deleteHours(ids: readonly string[], now: number): void {
    if (ids.length === 0) return;
    this.#compactIfPending(ids, now);
    this.#hours.delete(ids);
  }

  /**
   * Marks the hours of products as incomplete, because the products were in other cells before. A tile still shows
   * these hours. At a product's next event the cell asks for all of its hours.
   */
  markHoursIncomplete(ids: readonly string[], now: number): void {
    if (ids.length === 0) return;
    this.#compactIfPending(ids, now);
    this.#hours.markIncomplete(ids);
  }

  #compactIfPending(ids: readonly string[], now: number): void {
    if (ids.some((id) => this.#pending.counts.has(id))) this.compact(now);
  }

  /** Replaces the hours of the products `ids` by `totals`. */
  replaceHours(ids: readonly string[], totals: readonly ProductTotals[], now: number): void {
    this.deleteHours(ids, now);
    for (const { productId, hours } of totals)
      if (hours.length > 0) this.#hours.put(productId, { ...emptyHours, hours });
  }

  /** Deletes keys of transitions that are older than any message is retried. */
  pruneKeys(now: number): void {
    this.#keys.prune(now - keyLifetimeSeconds);
  }

  /** Deletes all next products and the keys of all counted transitions. */
  deleteTransitions(now: number): void {
    this.compact(now);
    this.#sql.exec("DELETE FROM next_products");
    this.#keys.clear();
  }
}
