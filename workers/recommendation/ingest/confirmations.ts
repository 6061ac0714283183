import type { UserSession } from "../../../durable-objects/user-session/user-session.ts";
import { mapConcurrent } from "../../../shared/async/map-concurrent.ts";

/** User objects that are called at the same time. */
const maxConcurrentConfirmations = 32;

/** Delivered rows of one user and generation. */
export interface DeliveredRows {
  pseudonym: string;
  generation: number;
  rows: readonly { seq: number }[];
}

/** Delivered rows of one user object and generation that are not yet confirmed. */
interface PendingConfirmation {
  id: DurableObjectId;
  generation: number;
  seqs: number[];
}

/**
 * Collects delivered rows and confirms them to their user objects, one call per user and batch. The rows are in memory
 * only: if they are lost, the user objects send the rows again, and delivering them again changes nothing.
 */
export class Confirmations {
  readonly #sessions: DurableObjectNamespace<UserSession>;
  readonly #pending = new Map<string, PendingConfirmation>();

  constructor(sessions: DurableObjectNamespace<UserSession>) {
    this.#sessions = sessions;
  }

  /** Adds delivered rows. Throws if a pseudonym is not the id of a user object; then no row is added. */
  add(users: readonly DeliveredRows[]): void {
    const ids = users.map(({ pseudonym }) => this.#sessions.idFromString(pseudonym));
    for (const [i, { pseudonym, generation, rows }] of users.entries()) {
      const key = `${pseudonym}:${generation}`;
      const confirmation = this.#pending.get(key) ?? { id: ids[i], generation, seqs: [] };
      this.#pending.set(key, confirmation);
      for (const { seq } of rows) confirmation.seqs.push(seq);
    }
  }

  /** Confirms all collected rows. If a user object fails, the others are still confirmed; then this method throws. */
  async send(): Promise<void> {
    const confirmations = [...this.#pending.values()];
    this.#pending.clear();
    const failures: unknown[] = [];
    await mapConcurrent(maxConcurrentConfirmations, confirmations, ({ id, generation, seqs }) =>
      this.#sessions
        .get(id)
        .confirmRows(seqs, generation)
        .catch((error: unknown) => failures.push(error)),
    );
    if (failures.length > 0) throw failures[0];
  }
}
