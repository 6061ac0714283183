import { interactionsMessage, locationsMessage } from "../contracts/queues.ts";
import type { Erased } from "../training-log/lines.ts";

/** The pseudonyms of people that a message of an application speaks of; null for one of no known form. */
export function usersIn(body: unknown): { application: string; objects: string[] } | null {
  const interactions = interactionsMessage.safeParse(body);
  if (interactions.success) {
    const { application, users } = interactions.data;
    return { application, objects: [...new Set(users.map(({ object }) => object))] };
  }
  const locations = locationsMessage.safeParse(body);
  return locations.success
    ? { application: locations.data.application, objects: [locations.data.object] }
    : null;
}

/** A message without what is of an erased life; null where nothing is left. One of no known form is as it was. */
export function withoutErased(body: unknown, erased: Erased): unknown {
  const isGone = ({ object, generation }: { object: string; generation: number }): boolean =>
    generation <= (erased.get(object) ?? -1);
  const interactions = interactionsMessage.safeParse(body);
  if (interactions.success) {
    const users = interactions.data.users.filter((user) => !isGone(user));
    if (users.length === interactions.data.users.length) return body;
    return users.length === 0 ? null : { ...interactions.data, people: users };
  }
  const locations = locationsMessage.safeParse(body);
  return locations.success && isGone(locations.data) ? null : body;
}

/** What a message says of one person, by pseudonym; null for nothing. */
export function partOf(body: unknown, object: string): unknown {
  const interactions = interactionsMessage.safeParse(body);
  if (interactions.success) return interactions.data.users.filter((user) => user.object === object);
  const locations = locationsMessage.safeParse(body);
  return locations.success && locations.data.object === object ? locations.data : null;
}

/** Whether a message of no known form names a person. It can be delivered by nobody. */
export function isFormlessAbout(
  body: unknown,
  { userId, object }: { userId: string; object: string },
): boolean {
  if (usersIn(body)) return false;
  const text = JSON.stringify(body) ?? "";
  return text.includes(object) || text.includes(JSON.stringify(userId));
}
