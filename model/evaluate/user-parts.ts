import type { DatasetEvent } from "../data/dataset.ts";

/**
 * Divides the users of events into at most `count` parts with similar numbers of events: the user with the most events
 * first, each into the smallest part so far. No part is empty.
 */
export function userParts(events: readonly DatasetEvent[], count: number): Set<string>[] {
  const eventsOf = new Map<string, number>();
  for (const { userId } of events) eventsOf.set(userId, (eventsOf.get(userId) ?? 0) + 1);
  const parts = Array.from({ length: Math.min(count, eventsOf.size) }, () => ({
    users: new Set<string>(),
    events: 0,
  }));
  for (const [userId, n] of [...eventsOf].sort((a, b) => b[1] - a[1])) {
    const smallest = parts.reduce((a, b) => (b.events < a.events ? b : a));
    smallest.users.add(userId);
    smallest.events += n;
  }
  return parts.map(({ users }) => users);
}
