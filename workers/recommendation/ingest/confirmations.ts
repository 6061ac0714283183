import type { UserSession } from "../../../durable-objects/user-session.ts";
import { mapConcurrent } from "../../../shared/async/map-concurrent.ts";

/** People who hear at the same time that their rows are done. */
const confirmedAtOnce = 32;

/** Rows of one life of a person. */
export interface DoneRows {
  /** Their pseudonym. */
  object: string;
  generation: number;
  rows: readonly { seq: number }[];
}

/** Rows that are done, of one life of a person whose object there is. */
interface Done {
  id: DurableObjectId;
  generation: number;
  seqs: number[];
}

/**
 * Rows that are done, of which their people do not know yet: each hears once of all that a batch brought on. It lies in memory
 * alone: where that is lost the rows are sent again, and bring nothing new.
 */
export class Confirmations {
  readonly #sessions: DurableObjectNamespace<UserSession>;
  readonly #done = new Map<string, Done>();

  constructor(sessions: DurableObjectNamespace<UserSession>) {
    this.#sessions = sessions;
  }

  /** Throws where somebody's object is none. */
  add(users: readonly DoneRows[]): void {
    const ids = users.map(({ object }) => this.#sessions.idFromString(object));
    for (const [i, { object, generation, rows }] of users.entries()) {
      const life = `${object}:${generation}`;
      const known = this.#done.get(life) ?? { id: ids[i], generation, seqs: [] };
      this.#done.set(life, known);
      for (const { seq } of rows) known.seqs.push(seq);
    }
  }

  /** Tells all people now. Where one is not reached, the others are told, and this throws. */
  async tell(): Promise<void> {
    const users = [...this.#done.values()];
    this.#done.clear();
    const failed: unknown[] = [];
    await mapConcurrent(confirmedAtOnce, users, ({ id, generation, seqs }) =>
      this.#sessions
        .get(id)
        .confirm(seqs, generation)
        .catch((error: unknown) => failed.push(error)),
    );
    if (failed.length > 0) throw failed[0];
  }
}
