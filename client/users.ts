import type { z } from "zod";
import type { Erasure } from "../shared/contracts/erasure.ts";
import type { ExportItem } from "../shared/contracts/export.ts";
import type { AnswerLocation } from "../shared/contracts/location.ts";
import type { Page } from "../shared/contracts/page.ts";
import type { LocationInput, User, UserInteraction, UserPatch, userInput } from "../shared/contracts/user.ts";
import { jsonBody, type Query, type Transport } from "./transport.ts";

const userPath = (userId: string): string => `/v1/users/${encodeURIComponent(userId)}`;

/** Profiles, history, places. */
export class Users {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(page: { limit?: number; cursor?: string } = {}): Promise<Page<User>> {
    return this.#transport.call("GET", "/v1/users", page);
  }
  put(userId: string, profile: z.input<typeof userInput>): Promise<User> {
    return this.#transport.call("PUT", userPath(userId), {}, jsonBody(profile));
  }
  get(userId: string): Promise<User> {
    return this.#transport.call("GET", userPath(userId));
  }
  patch(userId: string, changes: UserPatch): Promise<User> {
    return this.#transport.call("PATCH", userPath(userId), {}, jsonBody(changes));
  }
  /** All that is held about a person, page by page; a page may be empty though more follows. */
  exportPage(userId: string, page: { limit?: number; cursor?: string } = {}): Promise<Page<ExportItem>> {
    return this.#transport.call("GET", `${userPath(userId)}/export`, page);
  }
  /** Begins an erasure, which goes on by itself. */
  erase(userId: string): Promise<Erasure> {
    return this.#transport.call("DELETE", userPath(userId));
  }
  /** How far an erasure is. */
  getErasure(id: string): Promise<Erasure> {
    return this.#transport.call("GET", `/v1/erasures/${encodeURIComponent(id)}`);
  }
  /** Newest first. */
  listInteractions(userId: string, page: Query = {}): Promise<Page<UserInteraction>> {
    return this.#transport.call("GET", `${userPath(userId)}/interactions`, page);
  }
  setLocation(userId: string, location: LocationInput): Promise<{ location: AnswerLocation }> {
    return this.#transport.call("PUT", `${userPath(userId)}/location`, {}, jsonBody(location));
  }
}
