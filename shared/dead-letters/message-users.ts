import { interactionsMessage, locationsMessage } from "../contracts/queues.ts";
import type { ErasedGenerations } from "../training-log/lines.ts";

/**
 * Returns the application of a queue message and the pseudonyms of the users in it, or null if the message does not
 * match the schema of a queue with users.
 */
export function usersInMessage(body: unknown): { application: string; pseudonyms: string[] } | null {
  const interactions = interactionsMessage.safeParse(body);
  if (interactions.success) {
    const { application, users } = interactions.data;
    return { application, pseudonyms: [...new Set(users.map(({ pseudonym }) => pseudonym))] };
  }
  const locations = locationsMessage.safeParse(body);
  return locations.success
    ? { application: locations.data.application, pseudonyms: [locations.data.pseudonym] }
    : null;
}

/**
 * Returns a message without the data of erased generations, or null if nothing is left. A message that matches no
 * schema, or holds no erased data, is returned unchanged (the same object).
 */
export function messageWithoutErased(body: unknown, erased: ErasedGenerations): unknown {
  const isErased = ({ pseudonym, generation }: { pseudonym: string; generation: number }): boolean =>
    generation <= (erased.get(pseudonym) ?? -1);
  const interactions = interactionsMessage.safeParse(body);
  if (interactions.success) {
    const users = interactions.data.users.filter((user) => !isErased(user));
    if (users.length === interactions.data.users.length) return body;
    return users.length === 0 ? null : { ...interactions.data, users };
  }
  const locations = locationsMessage.safeParse(body);
  return locations.success && isErased(locations.data) ? null : body;
}

/** Returns the part of a message that belongs to one user; null or an empty list if there is none. */
export function userPartOfMessage(body: unknown, pseudonym: string): unknown {
  const interactions = interactionsMessage.safeParse(body);
  if (interactions.success) return interactions.data.users.filter((user) => user.pseudonym === pseudonym);
  const locations = locationsMessage.safeParse(body);
  return locations.success && locations.data.pseudonym === pseudonym ? locations.data : null;
}

/**
 * Returns whether a message that matches no schema contains a user's pseudonym or id anywhere in its text. No consumer
 * can process such a message, so an erasure deletes it completely.
 */
export function isMalformedMessageAbout(
  body: unknown,
  { userId, pseudonym }: { userId: string; pseudonym: string },
): boolean {
  if (usersInMessage(body)) return false;
  const text = JSON.stringify(body) ?? "";
  return text.includes(pseudonym) || text.includes(JSON.stringify(userId));
}
