/** Maximum number of keys in a chunk, which is one row of the table. */
const keysPerChunk = 4096;
const bytesPerKey = Float64Array.BYTES_PER_ELEMENT;

/** The key of a transition in a cell. */
export interface TransitionKey {
  /** Hash of the user, both products, the gap and the hour. */
  key: number;
  /** Start of the hour, seconds since the epoch. */
  time: number;
}

/** A chunk of keys in the order in which they were added. */
export interface KeyChunk {
  /** Number of the chunk, from 1. */
  chunk: number;
  /** Hour of the oldest transition, seconds since the epoch. */
  oldest: number;
  /** Hour of the newest transition, seconds since the epoch. */
  newest: number;
  /** When the last key was added, seconds since the epoch. */
  updated: number;
  /** Float64 values in the byte order of this machine. All machines that run this code are little-endian. */
  keys: ArrayBuffer;
}

type ChunkSummary = Omit<KeyChunk, "keys"> & { size: number };

/**
 * The set of transition keys that a cell has counted, with thousands of keys per row. A lookup reads only chunks whose
 * time range overlaps that of the transitions; new ones are newer than most chunks.
 */
export class CountedKeys {
  readonly #sql: SqlStorage;
  #cachedSummaries: ChunkSummary[] | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  createTable(): void {
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS counted_keys (
         chunk INTEGER PRIMARY KEY, oldest REAL NOT NULL, newest REAL NOT NULL, updated REAL NOT NULL,
         keys BLOB NOT NULL)`,
    );
  }

  /** Drops the cached summaries, after `ShardMigration` wrote the table or a transaction failed. */
  invalidate(): void {
    this.#cachedSummaries = null;
  }

  get #summaries(): ChunkSummary[] {
    this.#cachedSummaries ??= this.#sql
      .exec<ChunkSummary & Record<string, SqlStorageValue>>(
        `SELECT chunk, oldest, newest, updated, length(keys) / ${bytesPerKey} AS size FROM counted_keys ORDER BY chunk`,
      )
      .toArray();
    return this.#cachedSummaries;
  }

  #readKeys(chunk: number): Float64Array {
    const { keys } = this.#sql
      .exec<{ keys: ArrayBuffer }>("SELECT keys FROM counted_keys WHERE chunk = ?", chunk)
      .one();
    return new Float64Array(keys);
  }

  /** Returns those of the given keys that were counted before. */
  countedAmong(transitionKeys: readonly TransitionKey[]): Set<number> {
    const found = new Set<number>();
    if (transitionKeys.length === 0) return found;
    const keys = new Set(transitionKeys.map(({ key }) => key));
    const from = transitionKeys.reduce((min, { time }) => Math.min(min, time), Number.POSITIVE_INFINITY);
    const to = transitionKeys.reduce((max, { time }) => Math.max(max, time), Number.NEGATIVE_INFINITY);
    for (const { chunk, oldest, newest } of this.#summaries)
      if (oldest <= to && newest >= from)
        for (const key of this.#readKeys(chunk)) if (keys.has(key)) found.add(key);
    return found;
  }

  /**
   * Adds keys that were not counted before, at time `now` (seconds). Returns the numbers of the chunks that were
   * written.
   */
  add(transitionKeys: readonly TransitionKey[], now: number): number[] {
    const written: number[] = [];
    for (let at = 0; at < transitionKeys.length; ) {
      const last = this.#summaries.at(-1);
      const open = last && last.size < keysPerChunk ? last : null;
      const added = transitionKeys.slice(at, at + keysPerChunk - (open?.size ?? 0));
      at += added.length;
      const times = added.map(({ time }) => time);
      const summary: ChunkSummary = {
        chunk: open?.chunk ?? (last?.chunk ?? 0) + 1,
        oldest: Math.min(open?.oldest ?? Number.POSITIVE_INFINITY, ...times),
        newest: Math.max(open?.newest ?? Number.NEGATIVE_INFINITY, ...times),
        updated: now,
        size: (open?.size ?? 0) + added.length,
      };
      const keys = new Float64Array(summary.size);
      if (open) keys.set(this.#readKeys(open.chunk));
      keys.set(
        added.map(({ key }) => key),
        open?.size ?? 0,
      );
      this.putChunk({ ...summary, keys: keys.buffer });
      if (open) this.#summaries.pop();
      this.#summaries.push(summary);
      written.push(summary.chunk);
    }
    return written;
  }

  /** Writes a chunk as it is. The caller calls {@link invalidate} before the next read. */
  putChunk({ chunk, oldest, newest, updated, keys }: KeyChunk): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO counted_keys VALUES (?, ?, ?, ?, ?)",
      chunk,
      oldest,
      newest,
      updated,
      keys,
    );
  }

  /** Deletes chunks to which no key was added since `before`, seconds since the epoch. */
  prune(before: number): void {
    for (const { chunk, updated } of this.#summaries)
      if (updated < before) this.#sql.exec("DELETE FROM counted_keys WHERE chunk = ?", chunk);
    this.#cachedSummaries = this.#summaries.filter(({ updated }) => updated >= before);
  }

  /** Deletes all keys. */
  clear(): void {
    this.#sql.exec("DELETE FROM counted_keys");
    this.#cachedSummaries = [];
  }
}
