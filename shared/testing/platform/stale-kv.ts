/** Milliseconds in which KV takes one write to a key. */
const writeIntervalMs = 1000;
/** Age in milliseconds up to which what a location reads may be old, and for which it keeps an absence. */
const maxAgeMs = 60_000;
/** Shortest and default time in seconds for which a location keeps what it read. */
const minCacheSeconds = 30;
const defaultCacheSeconds = 60;

/** A value of a key from a moment on; null for an absence. */
interface Written {
  value: ArrayBuffer | null;
  /** Milliseconds. */
  at: number;
  /** Milliseconds; Infinity for never. */
  expiresAt: number;
}

/** The error that KV throws at a write to a key that was written less than a second before. */
export const tooManyRequests = (): Error => new Error("KV PUT failed: 429 Too Many Requests");

/** What KV is asked through one location. */
export type StaleNamespace = Pick<KVNamespace, "delete"> & {
  get(key: string, options: KVNamespaceGetOptions<"arrayBuffer">): Promise<ArrayBuffer | null>;
  put(key: string, value: ArrayBuffer, options?: KVNamespacePutOptions): Promise<void>;
};

/**
 * A KV that is as late as the real one may be, and as the local one is not. Each location keeps what it read for `cacheTtl`, and
 * an absence for a minute. What it does not keep, it reads as of a moment up to a minute ago, drawn by `random`; its own
 * writes it sees at once. A second write to a key within a second fails. `now` returns milliseconds.
 */
export class StaleKv {
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #history = new Map<string, Written[]>();
  readonly #kept = new Map<string, { value: ArrayBuffer | null; readAt: number }>();
  /** Operations so far, as they are billed. */
  readonly billed = { reads: 0, writes: 0, deletes: 0 };

  constructor(now: () => number, random: () => number) {
    this.#now = now;
    this.#random = random;
  }

  /** Returns KV as one location sees it. */
  location(name: string): StaleNamespace {
    return {
      get: async (key, options) => {
        this.billed.reads++;
        return this.#read(name, key, options.cacheTtl ?? defaultCacheSeconds);
      },
      put: async (key, value, { expirationTtl } = {}) => {
        const last = this.#history.get(key)?.at(-1);
        if (last && this.#now() - last.at < writeIntervalMs) throw tooManyRequests();
        this.billed.writes++;
        this.#write(
          name,
          key,
          value,
          expirationTtl === undefined ? Number.POSITIVE_INFINITY : 1000 * expirationTtl,
        );
      },
      delete: async (key: string) => {
        this.billed.deletes++;
        this.#write(name, key, null, Number.POSITIVE_INFINITY);
      },
    };
  }

  #write(location: string, key: string, value: ArrayBuffer | null, lifeMs: number): void {
    const at = this.#now();
    const copy = value?.slice(0) ?? null;
    this.#history.set(key, [...(this.#history.get(key) ?? []), { value: copy, at, expiresAt: at + lifeMs }]);
    this.#kept.set(`${location} ${key}`, { value: copy, readAt: at });
  }

  #read(location: string, key: string, cacheTtl: number): ArrayBuffer | null {
    if (cacheTtl < minCacheSeconds) throw new Error(`KV GET failed: 400 Invalid cache_ttl of ${cacheTtl}`);
    const now = this.#now();
    const kept = this.#kept.get(`${location} ${key}`);
    const keptMs = kept?.value === null ? Math.min(maxAgeMs, 1000 * cacheTtl) : 1000 * cacheTtl;
    if (kept && now - kept.readAt < keptMs) return kept.value?.slice(0) ?? null;
    const asOf = now - this.#random() * maxAgeMs;
    const written = this.#history.get(key)?.findLast(({ at }) => at <= asOf);
    const value = written && now < written.expiresAt ? written.value : null;
    this.#kept.set(`${location} ${key}`, { value, readAt: now });
    return value?.slice(0) ?? null;
  }
}
