import type { Later } from "../ports.ts";
import type { Settings } from "../settings.ts";
import type { StoredKey } from "../store.ts";
import type { Caller } from "./caller.ts";
import { hashOf, looksLikeKey, sameHash } from "./key.ts";
import { verifyToken } from "./tokens.ts";

const cacheMs = 5_000;
const cacheSize = 1_000;
const noteEverySeconds = 3_600;
const developmentKeys = new Map<string, "admin" | "client">([
  ["dev-admin-key", "admin"],
  ["dev-client-key", "client"],
]);

/** Where keys are looked up, and where their use is noted. */
export interface KeyDirectory {
  findKey(hash: string): Promise<StoredKey | null>;
  /** Keeps `at` as the key's last use unless one since `notedBefore` is kept already. Seconds. */
  noteUse(key: StoredKey, at: number, notedBefore: number): Promise<void>;
  /** Whether an application has a key of this id that was not revoked. */
  isKept(application: string, id: string): Promise<boolean>;
}

/** The surroundings of an {@link Authenticator}. */
export interface Surroundings {
  keys: KeyDirectory;
  settings: Settings;
  now: () => number;
  later: Later;
}

const callerOf = ({ role, application, id, scopes }: StoredKey, development: boolean): Caller =>
  role === "admin"
    ? { kind: role, application, keyId: id, development }
    : { kind: role, application, keyId: id, development, scopes };

/**
 * Tells who a credential belongs to. What it learnt of a key, unknown ones included, it believes for five
 * seconds: so long may a key live after it was revoked elsewhere, where the call does not ask to be sure.
 */
export class Authenticator {
  readonly #keys: KeyDirectory;
  readonly #settings: Settings;
  readonly #now: () => number;
  readonly #later: Later;
  readonly #known = new Map<string, { key: StoredKey | null; until: number }>();
  /** Whether keys that issued tokens are kept, by application and id. */
  readonly #issuers = new Map<string, { kept: boolean; until: number }>();

  constructor({ keys, settings, now, later }: Surroundings) {
    this.#keys = keys;
    this.#settings = settings;
    this.#now = now;
    this.#later = later;
  }

  /** The caller, or null for a credential that is not valid. `sure` looks a key up whatever is believed of it. */
  async identify(credential: string, sure: boolean): Promise<Caller | null> {
    return (
      this.#byDevelopmentKey(credential) ??
      (looksLikeKey(credential) ? this.#byKey(credential, sure) : this.#byToken(credential))
    );
  }

  /** Drops what is believed of keys, so that this isolate sees a change at once. */
  forget(): void {
    this.#known.clear();
    this.#issuers.clear();
  }

  /** No secrets, these two: they are in the manual. */
  #byDevelopmentKey(credential: string): Caller | null {
    const role = this.#settings.developmentKeys ? developmentKeys.get(credential) : undefined;
    if (role === undefined) return null;
    return callerOf(
      { application: "demo", id: credential, role, scopes: [], hash: "", expiresAt: null, lastUsedAt: null },
      true,
    );
  }

  async #byKey(credential: string, sure: boolean): Promise<Caller | null> {
    const hash = await hashOf(credential);
    const key = await this.#find(hash, sure);
    const at = Math.floor(this.#now() / 1000);
    if (!key || !sameHash(key.hash, hash)) return null;
    if (key.expiresAt !== null && key.expiresAt <= at) return null;
    this.#noteUse(key, at);
    return callerOf(key, false);
  }

  async #find(hash: string, sure: boolean): Promise<StoredKey | null> {
    const now = this.#now();
    const known = this.#known.get(hash);
    if (known && known.until > now && !sure) return known.key;
    const key = await this.#keys.findKey(hash);
    if (this.#known.size >= cacheSize) this.#known.clear();
    this.#known.set(hash, { key, until: now + cacheMs });
    return key;
  }

  /** Neither the answer nor its success waits for the note: one that is lost is made by a later use. */
  #noteUse(key: StoredKey, at: number): void {
    const notedBefore = at - noteEverySeconds;
    if (key.lastUsedAt !== null && key.lastUsedAt > notedBefore) return;
    key.lastUsedAt = at;
    this.#later(this.#keys.noteUse(key, at, notedBefore));
  }

  async #byToken(credential: string): Promise<Caller | null> {
    const { tokenSecret } = this.#settings;
    if (tokenSecret === null) return null;
    const subject = await verifyToken(credential, tokenSecret, this.#now() / 1000);
    if (!subject || !(await this.#isIssuer(subject.application, subject.keyId))) return null;
    const { application, userId, until } = subject;
    return { kind: "person", application, userId, until };
  }

  /** Whether the key that issued a token was not revoked. */
  async #isIssuer(application: string, id: string): Promise<boolean> {
    if (developmentKeys.has(id)) return this.#settings.developmentKeys;
    const name = `${application}/${id}`;
    const now = this.#now();
    const known = this.#issuers.get(name);
    if (known && known.until > now) return known.kept;
    const kept = await this.#keys.isKept(application, id);
    if (this.#issuers.size >= cacheSize) this.#issuers.clear();
    this.#issuers.set(name, { kept, until: now + cacheMs });
    return kept;
  }
}
