import type { InteractionsMessage, UserRows } from "../contracts/queues.ts";

/** The bounds of one queue message. A row that exceeds `maxBytes` alone gets a message of its own. */
export interface MessageLimits {
  maxRows: number;
  /** Maximum size of the rows as JSON in UTF-8, without the message around them. */
  maxBytes: number;
}

/**
 * Limits of every message of the worker's queues. The platform's limit for a whole message is 128 KB: the ids and
 * pseudonyms of 50 users take at most 20 KB beside the rows.
 */
export const messageLimits: MessageLimits = { maxRows: 50, maxBytes: 96_000 };

const encoder = new TextEncoder();

/** Returns the size of a text in bytes of UTF-8, as the queue counts it. */
export const utf8Bytes = (text: string): number => encoder.encode(text).byteLength;

/**
 * Splits rows into messages within the limits. Every row is in exactly one message, in the given order; no message is
 * empty. `bytesOf` returns the size of a row in bytes.
 */
export function splitIntoMessages<Row>(
  rows: readonly Row[],
  bytesOf: (row: Row) => number,
  { maxRows, maxBytes }: MessageLimits,
): Row[][] {
  const messages: Row[][] = [];
  let bytes = 0;
  for (const row of rows) {
    const rowBytes = bytesOf(row);
    const message = messages.at(-1);
    if (!message || message.length >= maxRows || bytes + rowBytes > maxBytes) {
      messages.push([row]);
      bytes = rowBytes;
    } else {
      message.push(row);
      bytes += rowBytes;
    }
  }
  return messages;
}

/**
 * Users of one message. The consumer of a batch, at most 100 messages, calls the object of each user to confirm the rows,
 * and a request may make 1,000 calls.
 */
const maxUsersPerMessage = 8;

/** Splits the rows of users into messages of the queue `interactions`, in the given order. */
export function interactionsMessages(
  application: string,
  users: readonly UserRows[],
  limits: MessageLimits = messageLimits,
): InteractionsMessage[] {
  const rows = users.flatMap((user) => user.rows.map((row) => ({ user, row })));
  return splitIntoMessages(rows, ({ row }) => utf8Bytes(JSON.stringify(row)), limits).flatMap((message) => {
    const byUser = new Map<UserRows, UserRows>();
    for (const { user, row } of message) {
      const part = byUser.get(user) ?? { ...user, rows: [] };
      byUser.set(user, part);
      part.rows.push(row);
    }
    const parts = [...byUser.values()];
    return Array.from({ length: Math.ceil(parts.length / maxUsersPerMessage) }, (_, i) => ({
      application,
      users: parts.slice(i * maxUsersPerMessage, (i + 1) * maxUsersPerMessage),
    }));
  });
}
