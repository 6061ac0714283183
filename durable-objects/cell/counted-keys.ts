/** Keys of one part: what a row holds, and what is read to see whether one of them is known. */
const keysPerPart = 4096;
const bytesPerKey = Float64Array.BYTES_PER_ELEMENT;

/** The key of an event in a cell: a hash, and when the event was, seconds since the epoch. */
export interface EventKey {
  key: number;
  time: number;
}

/** Keys that came after each other, and the times that their events lie between. */
export interface KeyPart {
  part: number;
  oldest: number;
  newest: number;
  /** When the last of them came, seconds since the epoch. */
  at: number;
  /** Float64 in the order of this machine, as each that runs this is little-endian. */
  keys: ArrayBuffer;
}

type Known = Omit<KeyPart, "keys"> & { size: number };

/**
 * Which events a cell has counted: thousands of keys to a row, instead of a row for each. What comes now is newer than what
 * most parts hold, so that hardly one of them is read.
 */
export class CountedKeys {
  readonly #sql: SqlStorage;
  #known: Known[] | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  migrate(): void {
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS counted (
         part INTEGER PRIMARY KEY, oldest REAL NOT NULL, newest REAL NOT NULL, at REAL NOT NULL, keys BLOB NOT NULL)`,
    );
  }

  /** Forgets what is remembered of the table: another has written it, or a transaction failed. */
  reread(): void {
    this.#known = null;
  }

  get #parts(): Known[] {
    this.#known ??= this.#sql
      .exec<Known & Record<string, SqlStorageValue>>(
        `SELECT part, oldest, newest, at, length(keys) / ${bytesPerKey} AS size FROM counted ORDER BY part`,
      )
      .toArray();
    return this.#known;
  }

  #keysOf(part: number): Float64Array {
    const { keys } = this.#sql
      .exec<{ keys: ArrayBuffer }>("SELECT keys FROM counted WHERE part = ?", part)
      .one();
    return new Float64Array(keys);
  }

  /** Those of some keys that were counted before. */
  among(asked: readonly EventKey[]): Set<number> {
    const found = new Set<number>();
    if (asked.length === 0) return found;
    const keys = new Set(asked.map(({ key }) => key));
    const from = asked.reduce((least, { time }) => Math.min(least, time), Number.POSITIVE_INFINITY);
    const to = asked.reduce((most, { time }) => Math.max(most, time), Number.NEGATIVE_INFINITY);
    for (const { part, oldest, newest } of this.#parts)
      if (oldest <= to && newest >= from)
        for (const key of this.#keysOf(part)) if (keys.has(key)) found.add(key);
    return found;
  }

  /** Adds keys that are not known. Answers which parts they came into. */
  add(news: readonly EventKey[], now: number): number[] {
    const touched: number[] = [];
    for (let at = 0; at < news.length; ) {
      const last = this.#parts.at(-1);
      const open = last && last.size < keysPerPart ? last : null;
      const some = news.slice(at, at + keysPerPart - (open?.size ?? 0));
      at += some.length;
      const times = some.map(({ time }) => time);
      const grown: Known = {
        part: open?.part ?? (last?.part ?? 0) + 1,
        oldest: Math.min(open?.oldest ?? Number.POSITIVE_INFINITY, ...times),
        newest: Math.max(open?.newest ?? Number.NEGATIVE_INFINITY, ...times),
        at: now,
        size: (open?.size ?? 0) + some.length,
      };
      const keys = new Float64Array(grown.size);
      if (open) keys.set(this.#keysOf(open.part));
      keys.set(
        some.map(({ key }) => key),
        open?.size ?? 0,
      );
      this.put({ ...grown, keys: keys.buffer });
      if (open) this.#parts.pop();
      this.#parts.push(grown);
      touched.push(grown.part);
    }
    return touched;
  }

  /** Holds a part as it is given, which {@link reread} makes known. */
  put({ part, oldest, newest, at, keys }: KeyPart): void {
    this.#sql.exec("INSERT OR REPLACE INTO counted VALUES (?, ?, ?, ?, ?)", part, oldest, newest, at, keys);
  }

  /** Forgets parts to which nothing came since `before`. */
  prune(before: number): void {
    for (const { part, at } of this.#parts)
      if (at < before) this.#sql.exec("DELETE FROM counted WHERE part = ?", part);
    this.#known = this.#parts.filter(({ at }) => at >= before);
  }

  clear(): void {
    this.#sql.exec("DELETE FROM counted");
    this.#known = [];
  }
}
