import type { UserSession } from "../../../durable-objects/user-session.ts";
import { atOnce } from "../../../shared/async/map-concurrent.ts";

/** People who hear at the same time that their rows are done. */
const confirmedAtOnce = 32;

/** Rows of one life of a person. */
export interface DoneRows {
  /** Their pseudonym. */
  object: string;
  epoch: number;
  rows: readonly { seq: number }[];
}

/** Rows that are done, of one life of a person whose object there is. */
interface Done {
  id: DurableObjectId;
  epoch: number;
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
  add(people: readonly DoneRows[]): void {
    const ids = people.map(({ object }) => this.#sessions.idFromString(object));
    for (const [i, { object, epoch, rows }] of people.entries()) {
      const life = `${object}:${epoch}`;
      const known = this.#done.get(life) ?? { id: ids[i], epoch, seqs: [] };
      this.#done.set(life, known);
      for (const { seq } of rows) known.seqs.push(seq);
    }
  }

  /** Tells all people now. Where one is not reached, the others are told, and this throws. */
  async tell(): Promise<void> {
    const people = [...this.#done.values()];
    this.#done.clear();
    const failed: unknown[] = [];
    await atOnce(confirmedAtOnce, people, ({ id, epoch, seqs }) =>
      this.#sessions
        .get(id)
        .confirm(seqs, epoch)
        .catch((error: unknown) => failed.push(error)),
    );
    if (failed.length > 0) throw failed[0];
  }
}
