import { interactionsMessage, locationsMessage } from "../contracts/queues.ts";
import type { ErasedGenerations } from "../training-log/lines.ts";

/** The pseudonyms of people that a message of an application speaks of; null for one of no known form. */
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

/** A message without what is of an erased life; null where nothing is left. One of no known form is as it was. */
export function messageWithoutErased(body: unknown, erased: ErasedGenerations): unknown {
  const isGone = ({ pseudonym, generation }: { pseudonym: string; generation: number }): boolean =>
    generation <= (erased.get(pseudonym) ?? -1);
  const interactions = interactionsMessage.safeParse(body);
  if (interactions.success) {
    const users = interactions.data.users.filter((user) => !isGone(user));
    if (users.length === interactions.data.users.length) return body;
    return users.length === 0 ? null : { ...interactions.data, users };
  }
  const locations = locationsMessage.safeParse(body);
  return locations.success && isGone(locations.data) ? null : body;
}

/** What a message says of one person, by pseudonym; null for nothing. */
export function userPartOfMessage(body: unknown, pseudonym: string): unknown {
  const interactions = interactionsMessage.safeParse(body);
  if (interactions.success) return interactions.data.users.filter((user) => user.pseudonym === pseudonym);
  const locations = locationsMessage.safeParse(body);
  return locations.success && locations.data.pseudonym === pseudonym ? locations.data : null;
}

/** Whether a message of no known form names a person. It can be delivered by nobody. */
export function isMalformedMessageAbout(
  body: unknown,
  { userId, pseudonym }: { userId: string; pseudonym: string },
): boolean {
  if (usersInMessage(body)) return false;
  const text = JSON.stringify(body) ?? "";
  return text.includes(pseudonym) || text.includes(JSON.stringify(userId));
}
