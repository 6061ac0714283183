import type { Settings } from "../settings.ts";
import type { StoredKey } from "../store.ts";
import type { Caller } from "./caller.ts";
import { hashOf, looksLikeKey, sameHash } from "./key.ts";
import { verifyToken } from "./tokens.ts";

const cacheMs = 5_000;
const cacheSize = 1_000;
const developmentKeys = new Map<string, "admin" | "client">([
  ["dev-admin-key", "admin"],
  ["dev-client-key", "client"],
]);

/** Where keys are looked up. */
export interface KeyDirectory {
  findKey(hash: string): Promise<StoredKey | null>;
}

/**
 * Tells who a credential belongs to. What it learnt of a key, unknown ones included, it believes for five
 * seconds: so long may a key live after it was revoked elsewhere.
 */
export class Authenticator {
  readonly #keys: KeyDirectory;
  readonly #settings: Settings;
  readonly #now: () => number;
  readonly #known = new Map<string, { key: StoredKey | null; until: number }>();

  constructor(keys: KeyDirectory, settings: Settings, now: () => number) {
    this.#keys = keys;
    this.#settings = settings;
    this.#now = now;
  }

  /** The caller, or null for a credential that is not valid. */
  async identify(credential: string): Promise<Caller | null> {
    return (
      this.#byDevelopmentKey(credential) ??
      (looksLikeKey(credential) ? this.#byKey(credential) : this.#byToken(credential))
    );
  }

  /** Drops what is believed of keys, so that this isolate sees a revocation at once. */
  forget(): void {
    this.#known.clear();
  }

  /** No secrets, these two: they are in the manual. */
  #byDevelopmentKey(credential: string): Caller | null {
    const kind = this.#settings.developmentKeys ? developmentKeys.get(credential) : undefined;
    return kind ? { kind, application: "demo", keyId: credential, development: true } : null;
  }

  async #byKey(credential: string): Promise<Caller | null> {
    const hash = await hashOf(credential);
    const key = await this.#find(hash);
    if (!key || !sameHash(key.hash, hash)) return null;
    return { kind: key.role, application: key.application, keyId: key.id, development: false };
  }

  async #find(hash: string): Promise<StoredKey | null> {
    const now = this.#now();
    const known = this.#known.get(hash);
    if (known && known.until > now) return known.key;
    const key = await this.#keys.findKey(hash);
    if (this.#known.size >= cacheSize) this.#known.clear();
    this.#known.set(hash, { key, until: now + cacheMs });
    return key;
  }

  async #byToken(credential: string): Promise<Caller | null> {
    const { tokenSecret } = this.#settings;
    if (tokenSecret === null) return null;
    const subject = await verifyToken(credential, tokenSecret, this.#now() / 1000);
    return subject && { kind: "person", ...subject };
  }
}
