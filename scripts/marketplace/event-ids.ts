import { hash } from "node:crypto";

/** What makes two rows the same event. */
export interface EventContent {
  userId: string;
  productId: string;
  type: string;
  /** Time as the file has it, in ISO 8601; null for a file without times. */
  time: string | null;
}

/** Characters of an event id that are hash: 22 of 6 bits each, 132 bits. */
const hashCharacters = 22;

/**
 * Gives events ids that depend on their content alone: the same row has the same id in every file, whatever its name,
 * its order and its other rows. Equal rows are numbered, so that an event that a file holds twice has two ids.
 */
export class EventIds {
  readonly #equalRows = new Map<string, number>();

  /** Returns the id of the next event with this content. */
  next({ userId, productId, type, time }: EventContent): string {
    // JSON tells the parts apart, whatever characters they hold.
    const content = JSON.stringify([userId, productId, type, time]);
    const ordinal = this.#equalRows.get(content) ?? 0;
    this.#equalRows.set(content, ordinal + 1);
    const digest = hash("sha256", JSON.stringify([content, ordinal]), "base64url");
    return `file.${digest.slice(0, hashCharacters)}`;
  }
}
