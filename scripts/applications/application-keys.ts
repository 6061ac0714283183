import { randomUUID } from "node:crypto";
import type { D1Database } from "@cloudflare/workers-types";
import * as z from "zod";
import type { KeyInput, KeyRecord } from "../../shared/contracts/credential.ts";
import { generateKey, hashKey } from "../../workers/gateway/keys/key.ts";
import { GatewayStore } from "../../workers/gateway/store.ts";

/** An application, by the keys that the gateway's database has of it. */
const application = z.object({
  application: z.string(),
  /** Keys that are neither revoked nor expired. */
  activeKeys: z.number(),
  /** Seconds since the Unix epoch; null if no key was ever used. */
  lastUsedAt: z.number().nullable(),
});
export type Application = z.infer<typeof application>;

/** A key that was just made: the only place that has its secret. */
export interface NewKey {
  record: KeyRecord;
  key: string;
}

/** Reads and writes the keys of any application, in the gateway's database. Times are in seconds since the Unix epoch. */
export class ApplicationKeys {
  readonly #database: D1Database;
  readonly #store: GatewayStore;
  readonly #now: () => number;

  constructor(database: D1Database, now: () => number) {
    this.#database = database;
    this.#store = new GatewayStore(database);
    this.#now = () => Math.floor(now());
  }

  /** Returns all applications that have or had a key, by name. */
  async listApplications(): Promise<Application[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT application, sum(revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)) AS activeKeys,
           max(last_used_at) AS lastUsedAt
         FROM api_keys GROUP BY application ORDER BY application`,
      )
      .bind(this.#now())
      .all();
    return results.map((row) => application.parse(row));
  }

  /** Returns the keys of an application, oldest first, without their secrets. */
  list(name: string): Promise<KeyRecord[]> {
    return this.#store.listKeys(name);
  }

  /** Returns whether an application has an admin key that works. */
  async hasAdminKey(name: string): Promise<boolean> {
    const now = new Date(this.#now() * 1000).toISOString();
    return (await this.list(name)).some(
      ({ role, revokedAt, expiresAt }) =>
        role === "admin" && revokedAt === null && (expiresAt === null || expiresAt > now),
    );
  }

  async #generate(role: KeyInput["role"]) {
    const key = generateKey(role);
    return { key, stored: { id: randomUUID(), hash: await hashKey(key), createdAt: this.#now() } };
  }

  /** Creates a key of an application. */
  async create(name: string, { role, scopes, name: keyName }: KeyInput): Promise<NewKey> {
    const { key, stored } = await this.#generate(role);
    const rights = { role, scopes, name: keyName };
    return { record: await this.#store.addKey({ application: name, ...rights, ...stored }), key };
  }

  /**
   * Replaces a key by one with the same rights; the old one works for `overlapSeconds` more. Throws if there is no such
   * key, or if it is revoked or was rotated before.
   */
  async rotate(name: string, id: string, overlapSeconds: number): Promise<NewKey> {
    const old = (await this.list(name)).find((each) => each.id === id);
    if (!old) throw new Error(`The application "${name}" has no key with the id ${id}.`);
    const { key, stored } = await this.#generate(old.role);
    const record = await this.#store.rotateKey(name, id, stored, stored.createdAt + overlapSeconds);
    if (typeof record === "string")
      throw new Error(`The key ${id} is revoked or was rotated before; create a new key instead.`);
    return { record, key };
  }

  /** Revokes a key. Throws if there is no such key. */
  async revoke(name: string, id: string): Promise<void> {
    if (!(await this.#store.revokeKey(name, id, this.#now())))
      throw new Error(`The application "${name}" has no key with the id ${id}.`);
  }
}
