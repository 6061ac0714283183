import type { Neighbour } from "../../model/columns/columns.ts";
import { strongestOf } from "../../model/retrieval/cell-state.ts";
import type { ProductTotals } from "../../workers/shared/contracts/totals.ts";
import { CountedKeys, type EventKey } from "./counted-keys.ts";

/** A step to a product, with the weight that it adds. */
export interface Step extends EventKey {
  from: string;
  to: string;
  toCell: string;
  weight: number;
}

/** What a call told that was news. */
interface News {
  totals: ProductTotals[];
  /** All that their events made in this cell. */
  steps: Step[];
}

/** What is known of what people do with one product. */
export interface ProductActivity {
  totals: ProductTotals | null;
  followers: Neighbour[];
}

/** What a call changed. */
export interface Taken {
  /** Interactions that were news. */
  counted: number;
  /** Parts of the keys that were written. */
  parts: number[];
}

/** Followers kept for a product; of these a tile shows the strongest. */
const followersKept = 64;
/** Keys of events are remembered so long, in seconds: longer than any message is retried. */
const keySeconds = 14 * 86_400;
/** Calls whose news wait to be folded, and characters of all of them. */
const mostWaiting = 256;
const mostCharacters = 524_288;

/** What is remembered of the news that wait. */
interface Waiting {
  /** Of the last call, and of the last that is folded. */
  seq: number;
  folded: number;
  characters: number;
  versions: Map<string, number>;
  keys: Set<number>;
}

/** Ids hold no space. */
const pairOf = ({ key, from, to, weight }: Step): string => `${key} ${from} ${to} ${weight}`;

/** The events that made some steps. */
const keysOf = (steps: readonly Step[]): EventKey[] => [
  ...new Map(steps.map(({ key, time }) => [key, { key, time }])).values(),
];

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

  /** Creates the tables, and drops those that held a row for each follower and event before: what followed is learnt anew. */
  migrate(): void {
    this.#sql.exec(`
      DROP TABLE IF EXISTS followers;
      DROP TABLE IF EXISTS steps;
      CREATE TABLE IF NOT EXISTS totals (id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
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
    const waiting = { seq: folded, folded, characters: 0, versions: new Map(), keys: new Set<number>() };
    for (const { seq, body } of this.#rows(folded)) remember(waiting, seq, body);
    return waiting;
  }

  #rows(folded: number): { seq: number; body: string }[] {
    return this.#sql
      .exec<{ seq: number; body: string }>("SELECT seq, body FROM news WHERE seq > ? ORDER BY seq", folded)
      .toArray();
  }

  /** What waits, oldest first. What lies here was parsed at the door. */
  #news(): News[] {
    return this.#rows(this.#known.folded).map(({ body }) => JSON.parse(body));
  }

  /** Number of the last call whose news waited. */
  get seq(): number {
    return this.#known.seq;
  }

  /** How often this instance folded news: they are no longer found among those that wait. */
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
   * Takes absolute totals that are newer than what is known, and steps of events that are not counted yet; those that an event
   * makes come in one call. A key is remembered from `now` on, seconds, and not from when the event was: history is older than
   * that when it comes, and comes twice too. News wait where they may (`wait`), else they are folded now.
   */
  take(totals: readonly ProductTotals[], steps: readonly Step[], now: number, wait: boolean): Taken {
    const { news, counted } = this.#newsIn(totals, steps);
    if (news.totals.length === 0 && news.steps.length === 0) return { counted: 0, parts: [] };
    const body = JSON.stringify(news);
    const known = this.#known;
    const room = mostCharacters - known.characters;
    if (!wait || body.length > room || known.seq - known.folded >= mostWaiting) this.settle(now);
    // The platform bounds what a row may hold.
    if (!wait || body.length > mostCharacters) return { counted, parts: this.#fold([news], now) };
    const seq = this.seq + 1;
    this.#sql.exec(
      `INSERT INTO news VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq, counted = excluded.counted, body = excluded.body`,
      seq % mostWaiting,
      seq,
      counted,
      body,
    );
    remember(this.#known, seq, body);
    return { counted, parts: [] };
  }

  #newsIn(totals: readonly ProductTotals[], steps: readonly Step[]): { news: News; counted: number } {
    const versions = this.#versionsOf(totals.map(({ productId }) => productId));
    const newest = new Map<string, ProductTotals>();
    let counted = 0;
    for (const each of totals) {
      const known = versions.get(each.productId) ?? -1;
      if (each.version <= known) continue;
      versions.set(each.productId, each.version);
      newest.set(each.productId, each);
      counted += each.version - Math.max(0, known);
    }
    const waiting = this.#known.keys;
    const unknown = steps.filter(({ key }) => !waiting.has(key));
    const before = this.#keys.among(unknown);
    // What two messages of one batch say is said once.
    const added = new Map<string, Step>();
    for (const step of unknown) if (!before.has(step.key)) added.set(pairOf(step), step);
    return { news: { totals: [...newest.values()], steps: [...added.values()] }, counted };
  }

  #versionsOf(ids: readonly string[]): Map<string, number> {
    const waiting = this.#known.versions;
    const versions = new Map<string, number>();
    for (const { id, version } of this.#sql.exec<{ id: string; version: number }>(
      "SELECT t.id, t.version FROM json_each(?) e CROSS JOIN totals t ON t.id = e.value",
      JSON.stringify(ids),
    ))
      versions.set(id, version);
    for (const id of ids) versions.set(id, Math.max(versions.get(id) ?? -1, waiting.get(id) ?? -1));
    return versions;
  }

  /** Folds what waits. */
  settle(now: number): void {
    const { seq, folded } = this.#known;
    if (seq === folded) return;
    this.#fold(this.#news(), now);
    this.#sql.exec("INSERT INTO folded VALUES (1, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq", seq);
    this.#waiting = { seq, folded: seq, characters: 0, versions: new Map(), keys: new Set() };
  }

  #fold(news: readonly News[], now: number): number[] {
    this.#folds++;
    const known = new Map<string, ProductActivity>();
    addTo(known, news);
    const froms = [...known].flatMap(([id, { followers }]) => (followers.length > 0 ? [id] : []));
    const before = this.#following(froms);
    for (const [id, { totals, followers }] of known) {
      if (totals)
        this.#sql.exec(
          `INSERT INTO totals VALUES (?, ?, ?)
           ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body`,
          id,
          totals.version,
          JSON.stringify(totals),
        );
      if (followers.length === 0) continue;
      const all = strongestOf(joined(before.get(id) ?? [], followers), followersKept);
      this.#sql.exec(
        "INSERT INTO following VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
        id,
        JSON.stringify(all),
      );
    }
    return this.#keys.add(keysOf(news.flatMap(({ steps }) => steps)), now);
  }

  /** Followers by product; of all products where no ids are given. */
  #following(ids?: readonly string[]): Map<string, Neighbour[]> {
    type Row = { id: string; body: string };
    const rows = ids
      ? this.#sql.exec<Row>(
          "SELECT f.id, f.body FROM json_each(?) e CROSS JOIN following f ON f.id = e.value",
          JSON.stringify(ids),
        )
      : this.#sql.exec<Row>("SELECT id, body FROM following");
    return new Map(rows.toArray().map(({ id, body }) => [id, JSON.parse(body)]));
  }

  /** What is known by product, with what waits. */
  byProduct(): Map<string, ProductActivity> {
    const known = new Map<string, ProductActivity>();
    for (const { id, body } of this.#sql.exec<{ id: string; body: string }>("SELECT id, body FROM totals"))
      known.set(id, { totals: JSON.parse(body), followers: [] });
    for (const [id, followers] of this.#following())
      known.set(id, { totals: known.get(id)?.totals ?? null, followers });
    addTo(known, this.#news());
    return known;
  }

  /** Holds these totals instead of what is known of some products. */
  replace(ids: readonly string[], totals: readonly ProductTotals[], now: number): void {
    this.settle(now);
    this.#sql.exec("DELETE FROM totals WHERE id IN (SELECT value FROM json_each(?))", JSON.stringify(ids));
    for (const each of totals)
      this.#sql.exec(
        "INSERT INTO totals VALUES (?, ?, ?)",
        each.productId,
        each.version,
        JSON.stringify(each),
      );
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

function remember(waiting: Waiting, seq: number, body: string): void {
  const { totals, steps }: News = JSON.parse(body);
  waiting.seq = seq;
  waiting.characters += body.length;
  for (const { productId, version } of totals) waiting.versions.set(productId, version);
  for (const { key } of steps) waiting.keys.add(key);
}

/** Adds news to what is known by product, in place. */
function addTo(known: Map<string, ProductActivity>, news: readonly News[]): void {
  const of = (id: string): ProductActivity => {
    const before = known.get(id) ?? { totals: null, followers: [] };
    known.set(id, before);
    return before;
  };
  const steps = new Map<string, Neighbour[]>();
  for (const each of news) {
    for (const totals of each.totals) of(totals.productId).totals = totals;
    for (const { from, to, toCell, weight } of each.steps) {
      const list = steps.get(from) ?? [];
      steps.set(from, list);
      list.push({ productId: to, cell: toCell, weight });
    }
  }
  for (const [from, added] of steps) of(from).followers = joined(of(from).followers, added);
}

/** Followers with others added: weights of one product are summed, and it is where it was last. */
function joined(followers: readonly Neighbour[], added: readonly Neighbour[]): Neighbour[] {
  const all = new Map<string, Neighbour>();
  for (const each of [...followers, ...added])
    all.set(each.productId, { ...each, weight: each.weight + (all.get(each.productId)?.weight ?? 0) });
  return [...all.values()];
}
