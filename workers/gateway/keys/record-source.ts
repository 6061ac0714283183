import { logUnexpectedError } from "../errors/problem-response.ts";
import type { KeyChanges } from "./key-changes.ts";

/** Milliseconds for which a record is used while neither the database nor KV confirms it. */
const maxUnconfirmedMs = 5 * 60_000;
/** Age from which a record is read again from KV while the database does not answer, in milliseconds. */
const confirmMs = 60_000;

/** A record that an isolate remembers, and when it was read, in milliseconds since the Unix epoch. */
export interface RememberedRecord<T> {
  record: T;
  readAt: number;
}

/** Where a record is read from. */
export interface RecordReads<T> {
  /** Returns the copy in KV, or null. */
  copy(): Promise<T | null>;
  /** Returns the record in the database, or null. */
  row(): Promise<T | null>;
  applicationOf(record: T): string;
}

/** Neither KV nor the database answered. */
class NothingAnswers extends Error {}

/** Reads records of keys: the copy in KV where it is new enough, else the row in the database. */
export class RecordSource {
  readonly #changes: KeyChanges;
  readonly #now: () => number;

  constructor(changes: KeyChanges, now: () => number) {
    this.#changes = changes;
    this.#now = now;
  }

  /**
   * Returns a record that is not remembered, and whether it may be remembered. A copy counts unless its application
   * changed keys in the last quarter of an hour. While the database does not answer, copies are all there is. Throws where
   * the database is needed and fails.
   */
  async read<T>(
    { copy, row, applicationOf }: RecordReads<T>,
    skipCopy: boolean,
  ): Promise<{ record: T; mayRemember: boolean } | null> {
    let copyFailed = false;
    if (!skipCopy) {
      const copying = copy().catch((error: unknown) => {
        copyFailed = true;
        logUnexpectedError(error);
        return null;
      });
      const [found] = await Promise.all([copying, this.#changes.areKnown()]);
      if (found !== null && !this.#changes.mayBeOld(applicationOf(found)))
        return { record: found, mayRemember: true };
    }
    const { last } = this.#changes;
    const found = await row().catch((cause: unknown) => {
      throw copyFailed ? new NothingAnswers("neither KV nor the database answers", { cause }) : cause;
    });
    if (found === null) return null;
    // A change that was read meanwhile may be newer than the row.
    return { record: found, mayRemember: !this.#changes.hasChangedSince(applicationOf(found), last) };
  }

  /**
   * Returns a remembered record, or null if it has to be read again. `isKnown` says whether the changes of keys are known:
   * while they are not, a record is read again once a minute, by `readAgain`. Where KV does not answer either, the record
   * counts for five minutes.
   */
  async confirm<T>(
    { record, readAt }: RememberedRecord<T>,
    isKnown: boolean,
    readAgain: () => Promise<T | null>,
  ): Promise<T | null> {
    const age = this.#now() - Math.max(readAt, this.#changes.completeAt);
    if (isKnown || age < confirmMs) return record;
    try {
      return await readAgain();
    } catch (error) {
      if (error instanceof NothingAnswers && age < maxUnconfirmedMs) return record;
      throw error;
    }
  }
}
