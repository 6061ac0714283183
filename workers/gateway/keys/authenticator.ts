import type { RunInBackground } from "../dependencies.ts";
import type { GatewaySettings } from "../settings.ts";
import type { StoredKey } from "../store.ts";
import type { Caller } from "./caller.ts";
import { hashesEqual, hashKey, hasKeyFormat } from "./key.ts";
import { verifyToken } from "./tokens.ts";

const cacheMs = 5_000;
const maxCachedKeys = 1_000;
const useRecordingIntervalSeconds = 3_600;
const developmentKeys = new Map<string, "admin" | "client">([
  ["dev-admin-key", "admin"],
  ["dev-client-key", "client"],
]);

/** Where keys are looked up, and where their use is noted. */
export interface KeyDirectory {
  findKey(hash: string): Promise<StoredKey | null>;
  /** Keeps `at` as the key's last use unless one since `notedBefore` is kept already. Seconds. */
  recordUse(key: StoredKey, at: number, recordedBefore: number): Promise<void>;
  /** Whether an application has a key of this id that was not revoked. */
  isUnrevoked(application: string, id: string): Promise<boolean>;
}

/** The surroundings of an {@link Authenticator}. */
export interface AuthenticatorOptions {
  keys: KeyDirectory;
  settings: GatewaySettings;
  now: () => number;
  runInBackground: RunInBackground;
}

const callerOfKey = ({ role, application, id, scopes }: StoredKey, development: boolean): Caller =>
  role === "admin"
    ? { kind: role, application, keyId: id, development }
    : { kind: role, application, keyId: id, development, scopes };

/**
 * Tells who a credential belongs to. What it learnt of a key, unknown ones included, it believes for five
 * seconds: so long may a key live after it was revoked elsewhere, where the call does not ask to be sure.
 */
export class Authenticator {
  readonly #keys: KeyDirectory;
  readonly #settings: GatewaySettings;
  readonly #now: () => number;
  readonly #runInBackground: RunInBackground;
  readonly #cachedKeys = new Map<string, { key: StoredKey | null; until: number }>();
  /** Whether keys that issued tokens are kept, by application and id. */
  readonly #cachedIssuers = new Map<string, { kept: boolean; until: number }>();

  constructor({ keys, settings, now, runInBackground: later }: AuthenticatorOptions) {
    this.#keys = keys;
    this.#settings = settings;
    this.#now = now;
    this.#runInBackground = later;
  }

  /** The caller, or null for a credential that is not valid. `sure` looks a key up whatever is believed of it. */
  async identify(credential: string, skipCache: boolean): Promise<Caller | null> {
    return (
      this.#byDevelopmentKey(credential) ??
      (hasKeyFormat(credential) ? this.#byKey(credential, skipCache) : this.#byToken(credential))
    );
  }

  /** Drops what is believed of keys, so that this isolate sees a change at once. */
  clearCache(): void {
    this.#cachedKeys.clear();
    this.#cachedIssuers.clear();
  }

  /** No secrets, these two: they are in the manual. */
  #byDevelopmentKey(credential: string): Caller | null {
    const role = this.#settings.developmentKeys ? developmentKeys.get(credential) : undefined;
    if (role === undefined) return null;
    return callerOfKey(
      { application: "demo", id: credential, role, scopes: [], hash: "", expiresAt: null, lastUsedAt: null },
      true,
    );
  }

  async #byKey(credential: string, skipCache: boolean): Promise<Caller | null> {
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

  /** Neither the answer nor its success waits for the note: one that is lost is made by a later use. */
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
    if (!subject || !(await this.isUnrevokedIssuer(subject.application, subject.keyId))) return null;
    const { application, userId, expiresAt: until } = subject;
    return { kind: "person", application, userId, expiresAt: until };
  }

  /** Whether the key that issued a token was not revoked. */
  async isUnrevokedIssuer(application: string, id: string): Promise<boolean> {
    if (developmentKeys.has(id)) return this.#settings.developmentKeys;
    const name = `${application}/${id}`;
    const now = this.#now();
    const cached = this.#cachedIssuers.get(name);
    if (cached && cached.until > now) return cached.kept;
    const unrevoked = await this.#keys.isUnrevoked(application, id);
    if (this.#cachedIssuers.size >= maxCachedKeys) this.#cachedIssuers.clear();
    this.#cachedIssuers.set(name, { kept: unrevoked, until: now + cacheMs });
    return unrevoked;
  }
}
