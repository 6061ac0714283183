import { ShareCache } from "../../../shared/cache/share-cache.ts";
import type { RunInBackground } from "../dependencies.ts";
import type { RateLimiter } from "../middleware/rate-limit.ts";
import type { GatewaySettings } from "../settings.ts";
import type { KeyEnd, StoredKey } from "../store.ts";
import type { Caller } from "./caller.ts";
import {
  developmentApplication,
  developmentKeys,
  isLocalRequest,
  LocalState,
  type MarkerReader,
} from "./development-keys.ts";
import { FailedLookups } from "./failed-lookups.ts";
import { hashesEqual, hashKey, isWellFormedKey, looksLikeKey } from "./key.ts";
import { type ChangeReader, KeyChanges } from "./key-changes.ts";
import { KeyLookups, type KeyReader, type LookupOptions } from "./key-lookups.ts";
import { RecordSource, type RememberedRecord } from "./record-source.ts";
import { verifyToken } from "./tokens.ts";

/** Milliseconds for which an isolate remembers that a key that issued a token does not exist. */
const unknownIssuerMs = 60_000;
/** Bounds the memory of an isolate. */
const maxCachedIssuers = 1_000;
/** A key's last use is stored at most once in this interval, so that a busy key does not write on each request. */
const useRecordingIntervalSeconds = 3_600;

/** Reads keys by the tokens that they issued; the gateway's store and the copies in KV implement it. */
export interface IssuerReader {
  /** Returns when the application's key with this id ends; null where there is none or it is revoked. */
  findIssuer(application: string, id: string): Promise<KeyEnd | null>;
}

/** Looks keys up and stores their last use; the gateway's store implements it. */
export interface KeyDirectory extends KeyReader, IssuerReader, ChangeReader, MarkerReader {
  /**
   * Stores `at` as the key's last use, unless a use after `recordedBefore` is stored. Both are in seconds since the
   * Unix epoch.
   */
  recordUse(key: StoredKey, at: number, recordedBefore: number): Promise<void>;
}

export interface AuthenticatorOptions {
  keys: KeyDirectory;
  /** Copies of the keys in KV. */
  copies: KeyReader & IssuerReader;
  settings: GatewaySettings;
  failureLimiter: RateLimiter;
  /** Returns milliseconds since the Unix epoch. */
  now: () => number;
  runInBackground: RunInBackground;
}

/** A credential, and where its request comes from. */
export interface PresentedCredential extends LookupOptions {
  text: string;
  /** Whether the request was sent on this machine, as {@link Authenticator.isLocal} tells. */
  isLocal: boolean;
}

const callerOfKey = (
  { role, application, id, scopes, expiresAt }: Omit<StoredKey, "hash" | "lastUsedAt">,
  development: boolean,
): Caller => {
  const key = { application, keyId: id, keyExpiresAt: expiresAt, development };
  return role === "server" ? { kind: role, ...key, scopes } : { kind: role, ...key };
};

/**
 * Identifies the caller of a credential: an API key or a user token. Keys are in the isolate's memory, in KV, and in the
 * database. A key that another isolate revoked works for ten seconds at most, except in calls that skip the cache.
 */
export class Authenticator {
  readonly #directory: KeyDirectory;
  readonly #copies: IssuerReader;
  readonly #changes: KeyChanges;
  readonly #source: RecordSource;
  readonly #keys: KeyLookups;
  readonly #localState: LocalState;
  readonly #settings: GatewaySettings;
  readonly #now: () => number;
  readonly #runInBackground: RunInBackground;
  /** Ends of keys that issued tokens, by application and key id; null for a revoked or unknown key. */
  readonly #issuers = new ShareCache<RememberedRecord<KeyEnd | null>>({ maxSize: maxCachedIssuers });

  constructor({ keys, copies, settings, failureLimiter, now, runInBackground }: AuthenticatorOptions) {
    this.#directory = keys;
    this.#copies = copies;
    this.#changes = new KeyChanges({
      reader: keys,
      now,
      runInBackground,
      onChange: (application) => this.#forget(application),
    });
    this.#source = new RecordSource(this.#changes, now);
    const failures = new FailedLookups(failureLimiter, now);
    this.#keys = new KeyLookups({ keys, copies, changes: this.#changes, failures, now });
    this.#localState = new LocalState(keys, settings.developmentMarker, now);
    this.#settings = settings;
    this.#now = now;
    this.#runInBackground = runInBackground;
  }

  /** Returns the caller of a credential, or null where it is not valid. */
  async identify(credential: PresentedCredential): Promise<Caller | null> {
    if (developmentKeys.has(credential.text)) return this.#byDevelopmentKey(credential);
    return looksLikeKey(credential.text) ? this.#byKey(credential) : this.#byToken(credential);
  }

  /** Returns whether a request was sent on this machine, and by no page of another origin. */
  isLocal(request: Request): boolean {
    return isLocalRequest(request, this.#settings.localProxySecret);
  }

  /** Empties the caches, so that this isolate sees a revocation or rotation at once. */
  clearCache(): void {
    this.#keys.clear();
    this.#issuers.clear();
    this.#changes.expire();
  }

  /** Forgets what this isolate knows of an application's keys. */
  #forget(application: string): void {
    this.#keys.forget(application);
    this.#issuers.deleteAll(application);
  }

  async #byDevelopmentKey({ text, isLocal }: PresentedCredential): Promise<Caller | null> {
    const role = developmentKeys.get(text);
    if (role === undefined || !isLocal || !(await this.#localState.isConfirmed())) return null;
    return callerOfKey(
      { application: developmentApplication, id: text, role, scopes: [], expiresAt: null },
      true,
    );
  }

  async #byKey({ text, ...options }: PresentedCredential): Promise<Caller | null> {
    if (!isWellFormedKey(text)) return null;
    const hash = await hashKey(text);
    const key = await this.#keys.find(hash, options);
    const at = Math.floor(this.#now() / 1000);
    if (!key || !hashesEqual(key.hash, hash)) return null;
    if (key.expiresAt !== null && key.expiresAt <= at) return null;
    this.#recordUse(key, at);
    return callerOfKey(key, false);
  }

  /**
   * Stores the use of a key in the background. The request does not wait for it; where it fails, a later use is stored.
   */
  #recordUse(key: StoredKey, at: number): void {
    const recordedBefore = at - useRecordingIntervalSeconds;
    if (key.lastUsedAt !== null && key.lastUsedAt > recordedBefore) return;
    key.lastUsedAt = at;
    this.#runInBackground(this.#directory.recordUse(key, at, recordedBefore));
  }

  /** A token is verified before the key that issued it is looked up: strangers cannot cause a look-up. */
  async #byToken({ text, skipCache }: PresentedCredential): Promise<Caller | null> {
    const now = this.#now() / 1000;
    const token = await verifyToken(text, this.#settings.tokenSecrets, now);
    if (!token) return null;
    const issuer = await this.#findIssuer(token.application, token.keyId, skipCache);
    if (!issuer || (issuer.expiresAt !== null && issuer.expiresAt <= now)) return null;
    return { kind: "user", ...token, keyExpiresAt: issuer.expiresAt };
  }

  async #findIssuer(application: string, id: string, skipCache: boolean): Promise<KeyEnd | null> {
    if (developmentKeys.has(id)) {
      const isIssuer = application === developmentApplication && (await this.#localState.isConfirmed());
      return isIssuer ? { expiresAt: null } : null;
    }
    const isKnown = skipCache || (await this.#changes.areKnown());
    const remembered = this.#issuers.get(application, id);
    if (!remembered || skipCache) return this.#readIssuer(application, id, skipCache);
    const { record, readAt } = remembered;
    if (record === null)
      return this.#now() - readAt < unknownIssuerMs ? null : this.#readIssuer(application, id, false);
    return this.#source.confirm({ record, readAt }, isKnown, () => this.#readIssuer(application, id, false));
  }

  async #readIssuer(application: string, id: string, skipCopy: boolean): Promise<KeyEnd | null> {
    const found = await this.#source.read(
      {
        copy: () => this.#copies.findIssuer(application, id),
        row: () => this.#directory.findIssuer(application, id),
        applicationOf: () => application,
      },
      skipCopy,
    );
    const record = found?.record ?? null;
    if (!found || found.mayRemember) this.#issuers.set(application, id, { record, readAt: this.#now() });
    else this.#issuers.delete(application, id);
    return record;
  }
}
