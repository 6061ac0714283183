import type * as z from "zod";
import type { Coarsening } from "../shared/contracts/coarsening.ts";
import type { Erasure } from "../shared/contracts/erasure.ts";
import type { ExportItem } from "../shared/contracts/export.ts";
import type { Merge, MergeInput } from "../shared/contracts/merge.ts";
import type { Page } from "../shared/contracts/page.ts";
import type {
  LocationInput,
  LocationOutcome,
  ShownInteraction,
  ShownUser,
  userInput,
  userPatch,
} from "../shared/contracts/user.ts";
import type { InputWarning, Written } from "../shared/contracts/warning.ts";
import { idInPath, type Query, type Transport, toJsonBody } from "./transport.ts";

/** What is said about a profile that was written. `coarsening` is present if the consent was lowered. */
interface Remarks {
  warnings?: InputWarning[];
  coarsening?: Coarsening;
}
/** The written profile, or for a key without `people:read` what is said about it; null if nothing is. */
export type WrittenUser = (Written<ShownUser> & Remarks) | Remarks | null;

const userPath = (userId: string): string => `/v1/users/${idInPath(userId)}`;

/**
 * Reads and writes user profiles, locations and interactions, and exports, merges and erases users.
 *
 * @example
 * await vicinity.users.put("ann", { home: { lat: 59.91, lon: 10.75 }, consent: { location: "approximate" } });
 * await vicinity.users.setLocation("ann", { lat: 59.92, lon: 10.76 });
 * const { items } = await vicinity.users.listInteractions("ann", { limit: 10 });
 */
export class Users {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Lists profiles by user id, ascending. */
  async list(page: { limit?: number; cursor?: string } = {}): Promise<Page<ShownUser>> {
    return this.#transport.call("GET", "/v1/users", page);
  }
  /**
   * Creates or replaces a profile. `warnings` says what was not stored as it was sent, `coarsening` that the consent was
   * lowered. A key without `people:read` gets these alone, or null.
   */
  async put(userId: string, profile: z.input<typeof userInput>): Promise<WrittenUser> {
    return this.#transport.callOrNull("PUT", userPath(userId), {}, toJsonBody(profile));
  }
  /** Returns a profile. */
  async get(userId: string): Promise<ShownUser> {
    return this.#transport.call("GET", userPath(userId));
  }
  /** Changes the given fields of a profile. Returns what {@link put} returns. */
  async patch(userId: string, changes: z.input<typeof userPatch>): Promise<WrittenUser> {
    return this.#transport.callOrNull("PATCH", userPath(userId), {}, toJsonBody(changes));
  }
  /** Returns how far what is stored about a user is coarsened, after {@link put} or {@link patch} lowered the consent. */
  async getCoarsening(id: string): Promise<Coarsening> {
    return this.#transport.call("GET", `/v1/coarsenings/${idInPath(id)}`);
  }
  /** Returns one page of all data that is stored about a user. A page may be empty although more follow. */
  async exportPage(
    userId: string,
    page: { limit?: number; cursor?: string } = {},
  ): Promise<Page<ExportItem>> {
    return this.#transport.call("GET", `${userPath(userId)}/export`, page);
  }
  /** Begins to erase a user. The service continues by itself; {@link getErasure} returns the status. */
  async erase(userId: string): Promise<Erasure> {
    return this.#transport.call("DELETE", userPath(userId));
  }
  /** Returns the status of an erasure. */
  async getErasure(id: string): Promise<Erasure> {
    return this.#transport.call("GET", `/v1/erasures/${idInPath(id)}`);
  }
  /**
   * Begins to merge the user `from`, for example an anonymous one, into another user. With a token, `fromToken` is the
   * token of `from`. A server key needs `people:write`, and merges users of sessions into known ones without `fromToken`.
   * The service continues by itself; {@link getMerge} returns the status.
   *
   * @example
   * await vicinity.users.merge("ann", { from: session.userId });
   */
  async merge(userId: string, input: MergeInput): Promise<Merge> {
    return this.#transport.call("POST", `${userPath(userId)}/merge`, {}, toJsonBody(input));
  }
  /** Returns the status of a merge. */
  async getMerge(id: string): Promise<Merge> {
    return this.#transport.call("GET", `/v1/merges/${idInPath(id)}`);
  }
  /** Lists a user's interactions, newest first. */
  async listInteractions(userId: string, page: Query = {}): Promise<Page<ShownInteraction>> {
    return this.#transport.call("GET", `${userPath(userId)}/interactions`, page);
  }
  /** Stores where the user is, at the precision that they allow. `warnings` says why a location is not believed. */
  async setLocation(userId: string, location: LocationInput): Promise<LocationOutcome> {
    return this.#transport.call("PUT", `${userPath(userId)}/location`, {}, toJsonBody(location));
  }
}
