/** What an application has in a {@link ShareCache}. */
interface Share<V> {
  /** In the order of last use: eviction starts at the least recently used entry. */
  entries: Map<string, { value: V; size: number; usedAt: number }>;
  size: number;
  /** Milliseconds since the Unix epoch. */
  usedAt: number;
}

/** Bounds of a {@link ShareCache}. */
export interface ShareCacheOptions<V> {
  /** Largest sum of sizes. */
  maxSize: number;
  /** Returns the size of a value; 1 by default, so that `maxSize` counts entries. */
  sizeOf?: (value: V) => number;
  /** Age of the last use after which an application gives up its share, in milliseconds. */
  idleMs?: number;
  /** Whether a `set` forgets the entries that nobody used for {@link idleMs}. By default, only a full cache forgets. */
  forgetsIdle?: boolean;
  /** Milliseconds since the Unix epoch. */
  now?: () => number;
  /** Called for each entry that is replaced, deleted or evicted, with its value; not by `clear`. */
  onDelete?: (application: string, key: string, value: V) => void;
}

const defaultIdleMs = 10 * 60_000;

/**
 * A bounded cache of an isolate that applications share. Where it is full, the application that holds the most loses
 * its least recently used entry; before that, applications that are idle lose theirs. So an application that floods the
 * cache displaces its own entries, and an application that holds less than an equal share loses none.
 */
export class ShareCache<V> {
  /** By application, in the order of last use. */
  readonly #shares = new Map<string, Share<V>>();
  readonly #maxSize: number;
  readonly #sizeOf: (value: V) => number;
  readonly #idleMs: number;
  readonly #forgetsIdle: boolean;
  readonly #now: () => number;
  readonly #onDelete: (application: string, key: string, value: V) => void;
  #size = 0;
  #count = 0;

  constructor({
    maxSize,
    sizeOf = () => 1,
    idleMs = defaultIdleMs,
    forgetsIdle = false,
    now = Date.now,
    onDelete = () => undefined,
  }: ShareCacheOptions<V>) {
    this.#maxSize = maxSize;
    this.#sizeOf = sizeOf;
    this.#idleMs = idleMs;
    this.#forgetsIdle = forgetsIdle;
    this.#now = now;
    this.#onDelete = onDelete;
  }

  /** Sum of the sizes of all entries. */
  get size(): number {
    return this.#size;
  }

  /** Number of entries. */
  get count(): number {
    return this.#count;
  }

  /** Returns a cached value, which is then the application's last used one. */
  get(application: string, key: string): V | undefined {
    const share = this.#shares.get(application);
    const entry = share?.entries.get(key);
    if (!share || !entry) return undefined;
    this.#use(application, share);
    share.entries.delete(key);
    entry.usedAt = share.usedAt;
    share.entries.set(key, entry);
    return entry.value;
  }

  /** Caches a value, and makes room for it. */
  set(application: string, key: string, value: V): void {
    this.delete(application, key);
    const share = this.#shares.get(application) ?? { entries: new Map(), size: 0, usedAt: 0 };
    this.#use(application, share);
    const size = this.#sizeOf(value);
    share.entries.set(key, { value, size, usedAt: share.usedAt });
    share.size += size;
    this.#size += size;
    this.#count++;
    if (this.#forgetsIdle) this.#forgetIdle(share.usedAt - this.#idleMs);
    while (this.#size > this.#maxSize) this.#evict();
  }

  /** Forgets a value. */
  delete(application: string, key: string): void {
    const share = this.#shares.get(application);
    const entry = share?.entries.get(key);
    if (!share || !entry) return;
    share.entries.delete(key);
    share.size -= entry.size;
    this.#size -= entry.size;
    this.#count--;
    if (share.entries.size === 0) this.#shares.delete(application);
    this.#onDelete(application, key, entry.value);
  }

  /** Forgets all values of an application. */
  deleteAll(application: string): void {
    for (const key of [...(this.#shares.get(application)?.entries.keys() ?? [])])
      this.delete(application, key);
  }

  /** Forgets all values of all applications. */
  clear(): void {
    this.#shares.clear();
    this.#size = 0;
    this.#count = 0;
  }

  #use(application: string, share: Share<V>): void {
    share.usedAt = this.#now();
    this.#shares.delete(application);
    this.#shares.set(application, share);
  }

  /** Forgets the entries that nobody used since `before`, in milliseconds since the Unix epoch. */
  #forgetIdle(before: number): void {
    for (const [application, { entries }] of this.#shares)
      for (const [key, { usedAt }] of entries) {
        if (usedAt >= before) break;
        this.delete(application, key);
      }
  }

  #evict(): void {
    const application = this.#loser();
    const [key] = this.#shares.get(application)?.entries.keys() ?? [];
    this.delete(application, key);
  }

  /** Returns the application that loses an entry: the longest idle one, else the one that holds the most. */
  #loser(): string {
    const [first] = this.#shares;
    let [loser, share] = first;
    if (share.usedAt < this.#now() - this.#idleMs) return loser;
    for (const [application, each] of this.#shares)
      if (each.size > share.size) [loser, share] = [application, each];
    return loser;
  }
}
