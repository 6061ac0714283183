import { throwRefusal } from "../errors/throw-refusal.ts";
import type { StoredKey } from "../store.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { type FailedLookups, failurePolicy } from "./failed-lookups.ts";
import type { KeyChanges } from "./key-changes.ts";
import { KnownKeys } from "./known-keys.ts";
import { RecordSource } from "./record-source.ts";

/** Milliseconds for which an isolate remembers that a key does not exist. */
const unknownMs = 60_000;
/** Bounds the memory of an isolate. Unknown keys have a cache of their own, so that they push no valid key out. */
const maxCachedKeys = 1_000;

/** Reads keys; the gateway's store and the copies in KV implement it. */
export interface KeyReader {
  /** Returns the key with a hash, or null where there is none or it is revoked. */
  findKey(hash: string): Promise<StoredKey | null>;
}

/** How a key is looked up. */
export interface LookupOptions {
  /** Whether the database is read, although the key is in memory or in KV. */
  skipCache: boolean;
  /** The client's address; null for requests from this machine. */
  address: string | null;
}

export interface KeyLookupsOptions {
  keys: KeyReader;
  copies: KeyReader;
  changes: KeyChanges;
  failures: FailedLookups;
  /** Returns milliseconds since the Unix epoch. */
  now: () => number;
}

/** Looks keys up by their hash: in the isolate's memory, then in KV, then in the database. */
export class KeyLookups {
  readonly #keys: KeyReader;
  readonly #copies: KeyReader;
  readonly #changes: KeyChanges;
  readonly #source: RecordSource;
  readonly #failures: FailedLookups;
  readonly #now: () => number;
  readonly #known = new KnownKeys(maxCachedKeys);
  /** Until when a key counts as unknown, by its hash. */
  readonly #unknown = new BoundedCache<number>(maxCachedKeys);

  constructor({ keys, copies, changes, failures, now }: KeyLookupsOptions) {
    this.#keys = keys;
    this.#copies = copies;
    this.#changes = changes;
    this.#source = new RecordSource(changes, now);
    this.#failures = failures;
    this.#now = now;
  }

  /** Empties the caches, so that this isolate sees a revocation or rotation at once. */
  clear(): void {
    this.#known.clear();
    this.#unknown.clear();
  }

  /** Forgets the keys of an application. */
  forget(application: string): void {
    this.#known.deleteAll(application);
  }

  /**
   * Returns the key with a hash, or null where there is none or it is revoked. Refuses with `rate_limited` where the
   * address presented too many unknown keys. A key that the isolate knows is looked up all the same.
   */
  async find(hash: string, options: LookupOptions): Promise<StoredKey | null> {
    if (this.#known.get(hash)) {
      const isKnown = options.skipCache || (await this.#changes.areKnown());
      // A change that was read meanwhile may have deleted it.
      const known = this.#known.get(hash);
      if (known && options.skipCache) return this.#read(hash, true);
      if (known) return this.#source.confirm(known, isKnown, () => this.#read(hash, false));
    }
    return this.#findUnknown(hash, options);
  }

  /** Returns a key that the isolate does not know. */
  async #findUnknown(hash: string, { skipCache, address }: LookupOptions): Promise<StoredKey | null> {
    if ((this.#unknown.get(hash) ?? 0) > this.#now()) return null;
    if (!this.#failures.begin(address, hash))
      throwRefusal("rate_limited", tooManyUnknownKeys, { retryAfter: failurePolicy.seconds });
    let failed = false;
    try {
      const key = await this.#read(hash, skipCache);
      failed = key === null;
      return key;
    } finally {
      await this.#failures.end(address, hash, failed);
    }
  }

  async #read(hash: string, skipCopy: boolean): Promise<StoredKey | null> {
    const found = await this.#source.read(
      {
        copy: () => this.#copies.findKey(hash),
        row: () => this.#keys.findKey(hash),
        applicationOf: ({ application }) => application,
      },
      skipCopy,
    );
    const now = this.#now();
    if (found?.mayRemember) this.#known.set(hash, { record: found.record, readAt: now });
    else this.#known.delete(hash);
    if (!found) this.#unknown.set(hash, now + unknownMs);
    return found?.record ?? null;
  }
}

const tooManyUnknownKeys =
  "Too many unknown keys came from this address, so no other is looked up; wait, and check the key that you send.";
