import { throwRefusal } from "../errors/throw-refusal.ts";
import type { StoredKey } from "../store.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { type FailedLookups, failurePolicy } from "./failed-lookups.ts";
import { KnownKeys } from "./known-keys.ts";

/** Milliseconds for which an isolate trusts a look-up. A key that another isolate revokes works no longer than this. */
const cacheMs = 5_000;
/** Milliseconds for which an isolate remembers that a key does not exist. */
const unknownMs = 60_000;
/** Bounds the memory of an isolate. Unknown keys have a cache of their own, so that they push no valid key out. */
const maxCachedKeys = 1_000;

/** Reads keys; the gateway's store implements it. */
export interface KeyReader {
  /** Returns the key with a hash, or null where there is none or it is revoked. */
  findKey(hash: string): Promise<StoredKey | null>;
}

/** How a key is looked up. */
export interface LookupOptions {
  /** Whether the database is read although the key is cached. */
  skipCache: boolean;
  /** The client's address; null for requests from this machine. */
  address: string | null;
}

/** Looks keys up by their hash, and caches what it finds, and what it does not find. */
export class KeyLookups {
  readonly #keys: KeyReader;
  readonly #failures: FailedLookups;
  readonly #now: () => number;
  readonly #known = new KnownKeys(maxCachedKeys);
  /** Until when a key counts as unknown, by its hash. */
  readonly #unknown = new BoundedCache<number>(maxCachedKeys);

  constructor(keys: KeyReader, failures: FailedLookups, now: () => number) {
    this.#keys = keys;
    this.#failures = failures;
    this.#now = now;
  }

  /** Empties the caches, so that this isolate sees a revocation or rotation at once. */
  clear(): void {
    this.#known.clear();
    this.#unknown.clear();
  }

  /**
   * Returns the key with a hash, or null where there is none or it is revoked. Refuses with `rate_limited` where the
   * address presented too many unknown keys. A key that the isolate knows is looked up all the same.
   */
  async find(hash: string, { skipCache, address }: LookupOptions): Promise<StoredKey | null> {
    const now = this.#now();
    const known = this.#known.get(hash);
    if (known && known.until > now && !skipCache) return known.key;
    if ((this.#unknown.get(hash) ?? 0) > now) return null;
    if (known) return this.#read(hash);
    if (!this.#failures.begin(address, hash))
      throwRefusal("rate_limited", tooManyUnknownKeys, { retryAfter: failurePolicy.seconds });
    let failed = false;
    try {
      const key = await this.#read(hash);
      failed = key === null;
      return key;
    } finally {
      await this.#failures.end(address, hash, failed);
    }
  }

  async #read(hash: string): Promise<StoredKey | null> {
    const key = await this.#keys.findKey(hash);
    const now = this.#now();
    if (key) this.#known.set(hash, { key, until: now + cacheMs });
    else {
      this.#known.delete(hash);
      this.#unknown.set(hash, now + unknownMs);
    }
    return key;
  }
}

const tooManyUnknownKeys =
  "Too many unknown keys came from this address, so no other is looked up; wait, and check the key that you send.";
