import type { NextProduct } from "../../model/columns/columns.ts";
import { strongestOf } from "../../model/retrieval/cell-state.ts";
import {
  type HourTotals,
  interactionsIn,
  lifetimeOf,
  newerHours,
  type ProductTotals,
} from "../../shared/contracts/totals.ts";
import { CountedKeys } from "./counted-keys.ts";
import { bounded, decodeHours, encodeHours, hourOf, inDoubt, type KeptHours, noHours } from "./hours.ts";
import {
  addTo,
  joined,
  keysOf,
  nothing,
  type PendingDelta,
  type ProductActivity,
  pairOf,
  remember,
  type TransitionDelta,
  type Waiting,
} from "./pending-deltas.ts";

/** What a call changed. */
export interface AppliedActivity {
  /** Interactions that were news. */
  counted: number;
  /** Parts of the keys that were written. */
  parts: number[];
  /** Products of which nothing is known here, so that some hours say too little: all of theirs are to be told. */
  unknown: string[];
}

/** Followers kept for a product; of these a tile shows the strongest. */
const nextProductsKept = 64;
/** Keys of events are remembered so long, in seconds: longer than any message is retried. */
const keySeconds = 14 * 86_400;
/** Calls whose news wait to be folded, characters of all of them, and of one: a row holds two megabytes. */
const maxWaiting = 512;
const maxCharacters = 1_048_576;
const maxInRow = 524_288;

/** Interactions by hour that are known of a product, and from which hour on they are known apart. */
interface KnownCounts {
  before: number;
  hours: Map<number, number>;
}

/**
 * What people do with the products of a cell. A call writes one row, however many events it tells of: its news. They are folded
 * into totals by product, followers by product and keys of events only when many wait: a product that was chosen ten times
 * meanwhile is written once. Every method is synchronous: callers wrap what belongs together in one transaction.
 */
export class Activity {
  readonly #sql: SqlStorage;
  readonly #keys: CountedKeys;
  #waiting: Waiting | null = null;
  #folds = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#keys = new CountedKeys(sql);
  }

  /**
   * Creates the tables, and drops those of before: rows of followers and events, whose steps are learnt anew, and totals in
   * another form, with the news that went with them: a product's next event brings all of its hours.
   */
  migrate(): void {
    const former = "SELECT 1 FROM sqlite_master WHERE name = 'totals'";
    if (this.#sql.exec(former).toArray().length > 0)
      this.#sql.exec("DROP TABLE totals; DROP TABLE IF EXISTS news; DROP TABLE IF EXISTS folded;");
    this.#sql.exec(`
      DROP TABLE IF EXISTS followers;
      DROP TABLE IF EXISTS steps;
      CREATE TABLE IF NOT EXISTS hours (id TEXT PRIMARY KEY, before INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS following (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS news (
        slot INTEGER PRIMARY KEY, seq INTEGER NOT NULL, counted INTEGER NOT NULL, body TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS folded (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
    `);
    this.#keys.migrate();
  }

  /** Forgets what is remembered of the tables: another has written them, or a transaction failed. */
  reread(): void {
    this.#waiting = null;
    this.#keys.reread();
  }

  get #known(): Waiting {
    this.#waiting ??= this.#read();
    return this.#waiting;
  }

  #read(): Waiting {
    const [row] = this.#sql.exec<{ seq: number }>("SELECT seq FROM folded").toArray();
    const folded = row?.seq ?? 0;
    const waiting = { ...nothing(), seq: folded, folded };
    for (const { seq, body } of this.#rows(folded)) remember(waiting, seq, body);
    return waiting;
  }

  #rows(folded: number): { seq: number; body: string }[] {
    return this.#sql
      .exec<{ seq: number; body: string }>("SELECT seq, body FROM news WHERE seq > ? ORDER BY seq", folded)
      .toArray();
  }

  /** What waits, oldest first. What lies here was parsed at the door. */
  #news(): PendingDelta[] {
    return this.#rows(this.#known.folded).map(({ body }) => JSON.parse(body));
  }

  /** Number of the last call whose news waited. */
  get seq(): number {
    return this.#known.seq;
  }

  /** How often this instance counted what is not, or no longer, found among the news that wait. */
  get folds(): number {
    return this.#folds;
  }

  /** Interactions that calls after `seq` counted, as far as their news wait. */
  countedAfter(seq: number): number {
    return this.#sql
      .exec<{ sum: number }>(
        "SELECT coalesce(sum(counted), 0) AS sum FROM news WHERE seq > ?",
        Math.max(seq, this.#known.folded),
      )
      .one().sum;
  }

  /**
   * Takes hours that count more than what is known of them, and steps of events that are not counted yet; those that an event
   * makes come in one call. A key is remembered from `now` on, seconds, and not from when the event was: history is older than
   * that when it comes, and comes twice too. News wait where they may (`wait`), else they are folded now.
   */
  take(
    totals: readonly ProductTotals[],
    steps: readonly TransitionDelta[],
    now: number,
    wait: boolean,
  ): AppliedActivity {
    const { news, counted, unknown } = this.#newsIn(totals, steps, now);
    if (news.totals.length === 0 && news.steps.length === 0) return { counted, parts: [], unknown };
    const body = JSON.stringify(news);
    const known = this.#known;
    const room = maxCharacters - known.characters;
    if (!wait || body.length > room || known.seq - known.folded >= maxWaiting) this.settle(now);
    if (!wait || body.length > maxInRow) return { counted, parts: this.#fold([news], now), unknown };
    const seq = this.seq + 1;
    this.#sql.exec(
      `INSERT INTO news VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq, counted = excluded.counted, body = excluded.body`,
      seq % maxWaiting,
      seq,
      counted,
      body,
    );
    remember(this.#known, seq, body);
    return { counted, parts: [], unknown };
  }

  #newsIn(
    totals: readonly ProductTotals[],
    steps: readonly TransitionDelta[],
    now: number,
  ): { news: PendingDelta; counted: number; unknown: string[] } {
    const counts = this.#countsOf(totals);
    const unknown = new Set<string>();
    const newest = new Map<string, Map<number, HourTotals>>();
    let counted = 0;
    for (const { productId, whole, hours } of totals) {
      const known = counts.get(productId) ?? (whole ? { before: noHours.before, hours: new Map() } : null);
      // What is added up can only be replaced as a whole.
      if (known && whole && known.before > noHours.before) {
        counted += this.#replaceLesser(productId, hours, known, now);
        continue;
      }
      if (!known || hours.some(({ hour }) => hour >= noHours.before && hour < known.before)) {
        unknown.add(productId);
        continue;
      }
      counts.set(productId, known);
      for (const each of hours) {
        const more = interactionsIn(each) - (known.hours.get(each.hour) ?? 0);
        if (more <= 0) continue;
        counted += more;
        known.hours.set(each.hour, interactionsIn(each));
        const news = newest.get(productId) ?? new Map<number, HourTotals>();
        newest.set(productId, news.set(each.hour, each));
      }
    }
    const waiting = this.#known.keys;
    const fresh = steps.filter(({ key }) => !waiting.has(key));
    const before = this.#keys.among(fresh);
    // What two messages of one batch say is said once.
    const added = new Map<string, TransitionDelta>();
    for (const step of fresh) if (!before.has(step.key)) added.set(pairOf(step), step);
    return {
      news: {
        totals: [...newest].map(([productId, hours]) => ({ productId, hours: [...hours.values()] })),
        steps: [...added.values()],
      },
      counted,
      unknown: [...unknown],
    };
  }

  /** Holds all hours of a product instead of those known, where they count more. Answers by how much. */
  #replaceLesser(id: string, hours: readonly HourTotals[], known: KnownCounts, now: number): number {
    const before = [...known.hours.values()].reduce((sum, count) => sum + count, 0);
    const more = interactionsIn(lifetimeOf(hours)) - before;
    if (more <= 0) return 0;
    // What this counts is not found among the news either.
    this.#folds++;
    this.replace([id], [{ productId: id, whole: true, hours: [...hours] }], now);
    return more;
  }

  /**
   * Interactions by hour of the products of which anything is known: in the hours that are named, and in all of them for a product
   * that is told whole.
   */
  #countsOf(totals: readonly ProductTotals[]): Map<string, KnownCounts> {
    const counts = new Map<string, KnownCounts>();
    const note = (id: string, before: number, hours: Iterable<readonly [number, number]>): void => {
      const known = counts.get(id) ?? { before, hours: new Map<number, number>() };
      counts.set(id, known);
      for (const [hour, count] of hours) known.hours.set(hour, Math.max(known.hours.get(hour) ?? 0, count));
    };
    const idsOf = (list: readonly ProductTotals[]): string[] => list.map(({ productId }) => productId);
    for (const [id, { before, hours }] of this.#hours(idsOf(totals.filter(({ whole }) => whole))))
      note(
        id,
        before,
        hours.map((each) => [each.hour, interactionsIn(each)] as const),
      );
    const named = totals
      .filter(({ whole }) => !whole)
      .flatMap(({ productId, hours }) => hours.map(({ hour }) => [productId, hour]));
    type Row = { id: string; before: number; hour: number; counts: string | null };
    for (const { id, before, hour, counts } of this.#sql.exec<Row>(
      `SELECT h.id, h.before, e.value ->> 1 AS hour, h.body -> (e.value ->> 1 || '') AS counts
       FROM json_each(?) e CROSS JOIN hours h ON h.id = e.value ->> 0`,
      JSON.stringify(named),
    ))
      note(id, before, counts === null ? [] : [[hour, interactionsIn(hourOf(hour, JSON.parse(counts)))]]);
    for (const id of idsOf(totals)) {
      const waiting = this.#known.counts.get(id);
      if (waiting) note(id, noHours.before, waiting);
    }
    return counts;
  }

  /** Folds what waits. */
  settle(now: number): void {
    const { seq, folded } = this.#known;
    if (seq === folded) return;
    this.#fold(this.#news(), now);
    this.#sql.exec("INSERT INTO folded VALUES (1, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq", seq);
    this.#waiting = { ...nothing(), seq, folded: seq };
  }

  #fold(news: readonly PendingDelta[], now: number): number[] {
    this.#folds++;
    const known = new Map<string, ProductActivity>();
    addTo(known, news);
    const froms = [...known].flatMap(([id, { nextProducts }]) => (nextProducts.length > 0 ? [id] : []));
    const before = this.#following(froms);
    const told = [...known].flatMap(([id, { hours }]) => (hours.length > 0 ? [id] : []));
    const hoursBefore = this.#hours(told);
    for (const [id, { hours, nextProducts }] of known) {
      if (hours.length > 0) {
        const { before, hours: known } = hoursBefore.get(id) ?? noHours;
        this.#keep(id, { before, hours: newerHours(known, hours) });
      }
      if (nextProducts.length === 0) continue;
      const all = strongestOf(joined(before.get(id) ?? [], nextProducts), nextProductsKept);
      this.#sql.exec(
        "INSERT INTO following VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
        id,
        JSON.stringify(all),
      );
    }
    return this.#keys.add(keysOf(news.flatMap(({ steps }) => steps)), now);
  }

  #keep(id: string, all: KeptHours): void {
    const { before, hours } = bounded(all);
    this.#sql.exec(
      `INSERT INTO hours VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET before = excluded.before, body = excluded.body`,
      id,
      before,
      encodeHours(hours),
    );
  }

  #following(ids: readonly string[]): Map<string, NextProduct[]> {
    const rows = this.#sql.exec<{ id: string; body: string }>(
      "SELECT f.id, f.body FROM json_each(?) e CROSS JOIN following f ON f.id = e.value",
      JSON.stringify(ids),
    );
    return new Map(rows.toArray().map(({ id, body }) => [id, JSON.parse(body)]));
  }

  #hours(ids: readonly string[]): Map<string, KeptHours> {
    const rows = this.#sql.exec<{ id: string; before: number; body: string }>(
      "SELECT h.id, h.before, h.body FROM json_each(?) e CROSS JOIN hours h ON h.id = e.value",
      JSON.stringify(ids),
    );
    return new Map(rows.toArray().map(({ id, before, body }) => [id, { before, hours: decodeHours(body) }]));
  }

  /**
   * Reads what is known of products, by their rows of `hours` and `following`, with what waits. Only what waits is held for it: a
   * cell's products may have a long past.
   */
  reader(): (id: string, hours: string | null, following: string | null) => ProductActivity {
    const waiting = new Map<string, ProductActivity>();
    addTo(waiting, this.#news());
    return (id, hours, following) => {
      const folded = {
        hours: hours ? decodeHours(hours) : [],
        nextProducts: following ? JSON.parse(following) : [],
      };
      const news = waiting.get(id);
      return news
        ? {
            hours: newerHours(folded.hours, news.hours),
            nextProducts: joined(folded.nextProducts, news.nextProducts),
          }
        : folded;
    };
  }

  /** Knows nothing any more of how often some products were chosen. */
  forgetHours(ids: readonly string[], now: number): void {
    if (ids.length === 0) return;
    if (ids.some((id) => this.#known.counts.has(id))) this.settle(now);
    this.#sql.exec("DELETE FROM hours WHERE id IN (SELECT value FROM json_each(?))", JSON.stringify(ids));
  }

  /**
   * Takes what is counted of some products for less than all, since they were elsewhere: it is shown, and the next event of each
   * brings the rest.
   */
  doubtHours(ids: readonly string[], now: number): void {
    if (ids.length === 0) return;
    if (ids.some((id) => this.#known.counts.has(id))) this.settle(now);
    this.#sql.exec(
      "UPDATE hours SET before = ? WHERE id IN (SELECT value FROM json_each(?))",
      inDoubt,
      JSON.stringify(ids),
    );
  }

  /** Holds these hours instead of what is known of some products. */
  replace(ids: readonly string[], totals: readonly ProductTotals[], now: number): void {
    this.forgetHours(ids, now);
    for (const { productId, hours } of totals)
      if (hours.length > 0) this.#keep(productId, { ...noHours, hours });
  }

  /** Forgets keys of events that are older than any message is retried. */
  prune(now: number): void {
    this.#keys.prune(now - keySeconds);
  }

  /** Forgets what followed products, and which events were counted. */
  forgetSteps(now: number): void {
    this.settle(now);
    this.#sql.exec("DELETE FROM following");
    this.#keys.clear();
  }
}
