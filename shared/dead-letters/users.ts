import { interactionsMessage, locationsMessage } from "../contracts/queues.ts";
import type { Erased } from "../training-log/lines.ts";

/** The pseudonyms of people that a message of an application speaks of; null for one of no known form. */
export function peopleIn(body: unknown): { application: string; objects: string[] } | null {
  const interactions = interactionsMessage.safeParse(body);
  if (interactions.success) {
    const { application, people } = interactions.data;
    return { application, objects: [...new Set(people.map(({ object }) => object))] };
  }
  const locations = locationsMessage.safeParse(body);
  return locations.success
    ? { application: locations.data.application, objects: [locations.data.object] }
    : null;
}

/** A message without what is of an erased life; null where nothing is left. One of no known form is as it was. */
export function withoutErased(body: unknown, erased: Erased): unknown {
  const isGone = ({ object, epoch }: { object: string; epoch: number }): boolean =>
    epoch <= (erased.get(object) ?? -1);
  const interactions = interactionsMessage.safeParse(body);
  if (interactions.success) {
    const people = interactions.data.people.filter((person) => !isGone(person));
    if (people.length === interactions.data.people.length) return body;
    return people.length === 0 ? null : { ...interactions.data, people };
  }
  const locations = locationsMessage.safeParse(body);
  return locations.success && isGone(locations.data) ? null : body;
}

/** What a message says of one person, by pseudonym; null for nothing. */
export function partOf(body: unknown, object: string): unknown {
  const interactions = interactionsMessage.safeParse(body);
  if (interactions.success) return interactions.data.people.filter((person) => person.object === object);
  const locations = locationsMessage.safeParse(body);
  return locations.success && locations.data.object === object ? locations.data : null;
}

/** Whether a message of no known form names a person. It can be delivered by nobody. */
export function isFormlessAbout(
  body: unknown,
  { userId, object }: { userId: string; object: string },
): boolean {
  if (peopleIn(body)) return false;
  const text = JSON.stringify(body) ?? "";
  return text.includes(object) || text.includes(JSON.stringify(userId));
}
