import type { D1Database } from "@cloudflare/workers-types";
import * as z from "zod";
import type { Account } from "../deploy/account/account.ts";
import { type SecretStore, type StoredSecret, secretName, secretNumber } from "./secret-store.ts";

const starts = z.array(z.object({ number: z.number(), signsFrom: z.number() }));

/**
 * Token secrets of the gateway in a Cloudflare account. Nobody can read a secret there, so the gateway's database keeps
 * when each begins to sign. Secrets reach wrangler by its standard input.
 */
export class AccountSecrets implements SecretStore {
  readonly effect = "Cloudflare deploys the change to all locations now.";
  readonly #account: Account;
  readonly #worker: string;
  readonly #database: D1Database;

  /** `worker` is the full name of the deployed gateway, and `database` its database. */
  constructor(account: Account, worker: string, database: D1Database) {
    this.#account = account;
    this.#worker = worker;
    this.#database = database;
  }

  async list(): Promise<StoredSecret[]> {
    const { results } = await this.#database
      .prepare("SELECT number, signs_from AS signsFrom FROM token_secrets")
      .all();
    const known = new Map(starts.parse(results).map(({ number, signsFrom }) => [number, signsFrom]));
    const names = await this.#account.secretNames(this.#worker);
    return names.flatMap((name) => {
      const number = secretNumber(name);
      return number === null ? [] : [{ number, signsFrom: known.get(number) ?? null }];
    });
  }

  async put({ number, signsFrom }: StoredSecret & { signsFrom: number }, value: string): Promise<void> {
    // The start is stored first: without it, the secret could not end in time.
    await this.#database
      .prepare(
        "INSERT INTO token_secrets VALUES (?, ?) ON CONFLICT DO UPDATE SET signs_from = excluded.signs_from",
      )
      .bind(number, signsFrom)
      .run();
    await this.#account.putSecret(this.#worker, secretName(number), value);
  }

  async delete(number: number): Promise<void> {
    await this.#account.deleteSecret(this.#worker, secretName(number));
    await this.#database.prepare("DELETE FROM token_secrets WHERE number = ?").bind(number).run();
  }
}
