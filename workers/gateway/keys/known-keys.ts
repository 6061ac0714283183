import { ShareCache } from "../../../shared/cache/share-cache.ts";
import type { StoredKey } from "../store.ts";
import type { RememberedRecord } from "./record-source.ts";

/** A key, and when an isolate read it. */
export type KnownKey = RememberedRecord<StoredKey>;

/**
 * Keys that an isolate has looked up, by their hash. Applications share the cache: one that uses many keys displaces its
 * own, and no key of another application.
 */
export class KnownKeys {
  /** By application and hash. */
  readonly #keys: ShareCache<KnownKey>;
  /** The application of each hash in {@link #keys}, since a request names the key only. */
  readonly #applications = new Map<string, string>();

  constructor(capacity: number) {
    this.#keys = new ShareCache({
      maxSize: capacity,
      onDelete: (_application, hash) => this.#applications.delete(hash),
    });
  }

  /** Returns the key with a hash, which counts as a use of it. */
  get(hash: string): KnownKey | undefined {
    const application = this.#applications.get(hash);
    return application === undefined ? undefined : this.#keys.get(application, hash);
  }

  set(hash: string, known: KnownKey): void {
    this.delete(hash);
    this.#applications.set(hash, known.record.application);
    this.#keys.set(known.record.application, hash, known);
  }

  delete(hash: string): void {
    const application = this.#applications.get(hash);
    if (application !== undefined) this.#keys.delete(application, hash);
  }

  /** Forgets the keys of an application. */
  deleteAll(application: string): void {
    this.#keys.deleteAll(application);
  }

  clear(): void {
    this.#keys.clear();
    this.#applications.clear();
  }
}
