import type { z } from "zod";
import type { CreatedKey, KeyRecord, keyInput, RotatedKey } from "../shared/contracts/credential.ts";
import { jsonBody, type Transport } from "./transport.ts";

const keyPath = (id: string): string => `/v1/keys/${encodeURIComponent(id)}`;

/** Keys of the application. */
export class Keys {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The answer is the only one that shows the key. */
  create(input: z.input<typeof keyInput>): Promise<CreatedKey> {
    return this.#transport.call("POST", "/v1/keys", {}, jsonBody(input));
  }
  /** Oldest first, revoked ones included. */
  list(): Promise<{ items: KeyRecord[] }> {
    return this.#transport.call("GET", "/v1/keys");
  }
  /** A new key with the same rights; the old one works on for `overlapSeconds`, at most a week. */
  rotate(id: string, overlapSeconds?: number): Promise<RotatedKey> {
    return this.#transport.call("POST", `${keyPath(id)}/rotate`, {}, jsonBody({ overlapSeconds }));
  }
  async revoke(id: string): Promise<void> {
    await this.#transport.send("DELETE", keyPath(id));
  }
}
