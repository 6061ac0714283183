import type { KeyRole } from "../../../shared/contracts/credential.ts";
import type { RunInBackground } from "../dependencies.ts";
import type { GatewaySettings } from "../settings.ts";
import type { StoredKey } from "../store.ts";
import type { Caller } from "./caller.ts";
import { hashesEqual, hashKey, isWellFormedKey, looksLikeKey } from "./key.ts";
import { verifyToken } from "./tokens.ts";

/** Milliseconds for which an isolate trusts a look-up. A key that another isolate revokes works no longer than this. */
const cacheMs = 5_000;
/** Bounds the memory of an isolate; a full cache is emptied. */
const maxCachedKeys = 1_000;
/** A key's last use is stored at most once in this interval, so that a busy key does not write on each request. */
const useRecordingIntervalSeconds = 3_600;
/** The documentation lists these keys, so they are no secret: only `DEVELOPMENT_KEYS=on` accepts them. */
const developmentKeys = new Map<string, KeyRole>([
  ["dev-admin-key", "admin"],
  ["dev-server-key", "server"],
  ["dev-publishable-key", "publishable"],
]);

/** Application of the development keys. */
export const developmentApplication = "demo";

/** Looks keys up and stores their last use; the gateway's store implements it. */
export interface KeyDirectory {
  /** Returns the key with a hash, or null where there is none or it is revoked. */
  findKey(hash: string): Promise<StoredKey | null>;
  /**
   * Stores `at` as the key's last use, unless a use after `recordedBefore` is stored. Both are in seconds since the
   * Unix epoch.
   */
  recordUse(key: StoredKey, at: number, recordedBefore: number): Promise<void>;
  /** Returns whether the application has a key with this id that is not revoked. */
  isUnrevoked(application: string, id: string): Promise<boolean>;
}

export interface AuthenticatorOptions {
  keys: KeyDirectory;
  settings: GatewaySettings;
  /** Returns milliseconds since the Unix epoch. */
  now: () => number;
  runInBackground: RunInBackground;
}

const callerOfKey = ({ role, application, id, scopes }: StoredKey, development: boolean): Caller =>
  role === "server"
    ? { kind: role, application, keyId: id, development, scopes }
    : { kind: role, application, keyId: id, development };

/**
 * Identifies the caller of a credential: an API key or a user token. It caches each look-up, failed ones included, for
 * five seconds. A key that another isolate revoked works for that long, except in calls that skip the cache.
 */
export class Authenticator {
  readonly #keys: KeyDirectory;
  readonly #settings: GatewaySettings;
  readonly #now: () => number;
  readonly #runInBackground: RunInBackground;
  readonly #cachedKeys = new Map<string, { key: StoredKey | null; until: number }>();
  /** Whether keys that issued tokens are unrevoked, by application and key id. */
  readonly #cachedIssuers = new Map<string, { unrevoked: boolean; until: number }>();

  constructor({ keys, settings, now, runInBackground }: AuthenticatorOptions) {
    this.#keys = keys;
    this.#settings = settings;
    this.#now = now;
    this.#runInBackground = runInBackground;
  }

  /** Returns the caller of a credential, or null where it is not valid. With `skipCache`, a key is always looked up. */
  async identify(credential: string, skipCache: boolean): Promise<Caller | null> {
    return (
      this.#byDevelopmentKey(credential) ??
      (looksLikeKey(credential) ? this.#byKey(credential, skipCache) : this.#byToken(credential))
    );
  }

  /** Empties the caches, so that this isolate sees a revocation or rotation at once. */
  clearCache(): void {
    this.#cachedKeys.clear();
    this.#cachedIssuers.clear();
  }

  #byDevelopmentKey(credential: string): Caller | null {
    const role = this.#settings.developmentKeys ? developmentKeys.get(credential) : undefined;
    if (role === undefined) return null;
    return callerOfKey(
      {
        application: developmentApplication,
        id: credential,
        role,
        scopes: [],
        hash: "",
        expiresAt: null,
        lastUsedAt: null,
      },
      true,
    );
  }

  async #byKey(credential: string, skipCache: boolean): Promise<Caller | null> {
    if (!isWellFormedKey(credential)) return null;
    const hash = await hashKey(credential);
    const key = await this.#findKey(hash, skipCache);
    const at = Math.floor(this.#now() / 1000);
    if (!key || !hashesEqual(key.hash, hash)) return null;
    if (key.expiresAt !== null && key.expiresAt <= at) return null;
    this.#recordUse(key, at);
    return callerOfKey(key, false);
  }

  async #findKey(hash: string, skipCache: boolean): Promise<StoredKey | null> {
    const now = this.#now();
    const cached = this.#cachedKeys.get(hash);
    if (cached && cached.until > now && !skipCache) return cached.key;
    const key = await this.#keys.findKey(hash);
    if (this.#cachedKeys.size >= maxCachedKeys) this.#cachedKeys.clear();
    this.#cachedKeys.set(hash, { key, until: now + cacheMs });
    return key;
  }

  /**
   * Stores the use of a key in the background. The request does not wait for it; where it fails, a later use is stored.
   */
  #recordUse(key: StoredKey, at: number): void {
    const recordedBefore = at - useRecordingIntervalSeconds;
    if (key.lastUsedAt !== null && key.lastUsedAt > recordedBefore) return;
    key.lastUsedAt = at;
    this.#runInBackground(this.#keys.recordUse(key, at, recordedBefore));
  }

  async #byToken(credential: string): Promise<Caller | null> {
    const { tokenSecret } = this.#settings;
    if (tokenSecret === null) return null;
    const subject = await verifyToken(credential, tokenSecret, this.#now() / 1000);
    if (!subject || !(await this.#isUnrevokedIssuer(subject.application, subject.keyId))) return null;
    const { application, userId, issuedAt, expiresAt } = subject;
    return { kind: "user", application, userId, issuedAt, expiresAt };
  }

  /** Returns whether the key that issued a token is not revoked. */
  async #isUnrevokedIssuer(application: string, id: string): Promise<boolean> {
    if (developmentKeys.has(id)) return this.#settings.developmentKeys;
    const name = `${application}/${id}`;
    const now = this.#now();
    const cached = this.#cachedIssuers.get(name);
    if (cached && cached.until > now) return cached.unrevoked;
    const unrevoked = await this.#keys.isUnrevoked(application, id);
    if (this.#cachedIssuers.size >= maxCachedKeys) this.#cachedIssuers.clear();
    this.#cachedIssuers.set(name, { unrevoked, until: now + cacheMs });
    return unrevoked;
  }
}
