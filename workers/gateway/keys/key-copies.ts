import * as z from "zod";
import { keyRole, keyScope } from "../../../shared/contracts/credential.ts";
import { applicationName } from "../../../shared/contracts/primitives.ts";
import type { KeyEnd, StoredKey, UncopiedKey } from "../store.ts";

/** Seconds for which a Cloudflare location answers from its cache of KV: the least that KV allows. */
const cacheTtl = 30;
/** Seconds that the expiry of an entry of KV must lie ahead. */
const minExpirySeconds = 60;

/** The namespace of KV that holds the copies. */
export interface CopyNamespace {
  get(name: string, options: { type: "json"; cacheTtl: number }): Promise<unknown>;
  put(name: string, value: string, options?: { expiration?: number }): Promise<void>;
  delete(name: string): Promise<void>;
}

// Parsed, since another version of the gateway may have written it.
const keyCopy = z.object({
  application: applicationName,
  id: z.string(),
  role: keyRole,
  scopes: z.array(keyScope),
  hash: z.string(),
  expiresAt: z.number().nullable(),
  lastUsedAt: z.number().nullable(),
});
const issuerCopy = z.object({ expiresAt: z.number().nullable() });

const nameOfKey = (hash: string): string => `key/${hash}`;
const nameOfIssuer = (application: string, id: string): string => `issuer/${application}/${id}`;

/**
 * Copies of keys in KV, near every isolate. A copy may be a minute or more older than its row in D1, or missing.
 */
export class KeyCopies {
  readonly #namespace: CopyNamespace;

  constructor(namespace: CopyNamespace) {
    this.#namespace = namespace;
  }

  /** Returns the copy of the key with a hash; null if there is none. */
  async findKey(hash: string): Promise<StoredKey | null> {
    return this.#read(nameOfKey(hash), keyCopy);
  }

  /** Returns the copy of when an application's key ends; null if there is none. */
  async findIssuer(application: string, id: string): Promise<KeyEnd | null> {
    return this.#read(nameOfIssuer(application, id), issuerCopy);
  }

  async #read<T>(name: string, schema: z.ZodType<T>): Promise<T | null> {
    return schema.safeParse(await this.#namespace.get(name, { type: "json", cacheTtl })).data ?? null;
  }

  /**
   * Writes the copy of a key as its row is, or deletes the copy of a revoked or ended one. `now` is in seconds since the
   * Unix epoch.
   */
  async write(key: UncopiedKey, now: number): Promise<void> {
    const { application, id, role, scopes, hash, expiresAt, lastUsedAt, revokedAt } = key;
    const names = [nameOfKey(hash), nameOfIssuer(application, id)];
    if (revokedAt !== null || (expiresAt !== null && expiresAt < now + minExpirySeconds)) {
      await Promise.all(names.map((name) => this.#namespace.delete(name)));
      return;
    }
    const copies = [{ application, id, role, scopes, hash, expiresAt, lastUsedAt }, { expiresAt }];
    const options = expiresAt === null ? {} : { expiration: expiresAt };
    await Promise.all(copies.map((copy, i) => this.#namespace.put(names[i], JSON.stringify(copy), options)));
  }
}
