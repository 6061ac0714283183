import type * as z from "zod";
import type { CreatedKey, KeyRecord, keyInput, RotatedKey } from "../shared/contracts/credential.ts";
import { idInPath, type Transport, toJsonBody } from "./transport.ts";

const keyPath = (id: string): string => `/v1/keys/${idInPath(id)}`;

/**
 * Manages the API keys of the application. Needs an admin key.
 *
 * @example
 * const { id, key } = await vicinity.keys.create({ role: "server", name: "web shop" });
 * const rotated = await vicinity.keys.rotate(id, 3600);
 * await vicinity.keys.revoke(rotated.id);
 */
export class Keys {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Creates a key. Store `key` from the answer: no later answer contains it. */
  async create(input: z.input<typeof keyInput>): Promise<CreatedKey> {
    return this.#transport.call("POST", "/v1/keys", {}, toJsonBody(input));
  }
  /** Lists keys, oldest first, including revoked keys. */
  async list(): Promise<{ items: KeyRecord[] }> {
    return this.#transport.call("GET", "/v1/keys");
  }
  /**
   * Creates a new key with the same rights. The old key works for another `overlapSeconds` (default 3,600; at most 7
   * days).
   */
  async rotate(id: string, overlapSeconds?: number): Promise<RotatedKey> {
    return this.#transport.call("POST", `${keyPath(id)}/rotate`, {}, toJsonBody({ overlapSeconds }));
  }
  /** Revokes a key. */
  async revoke(id: string): Promise<void> {
    await this.#transport.send("DELETE", keyPath(id));
  }
}
