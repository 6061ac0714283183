import type { DatasetEvent } from "./dataset.ts";

/** Returns the content by which two events are the same: user, product, type and time. */
const contentOf = ({ userId, itemId, type, time }: DatasetEvent): string =>
  JSON.stringify([userId, itemId, type, time]);

/**
 * Joins the events of overlapping exports. An event that one export holds twice counts twice; an event that two exports
 * hold once counts once. Returns the events, and the number of those left out.
 */
export function mergeGroups(groups: readonly DatasetEvent[][]): {
  events: DatasetEvent[];
  repeated: number;
} {
  if (groups.length === 1) return { events: groups[0], repeated: 0 };
  const counts = new Map<string, number>();
  const events: DatasetEvent[] = [];
  let repeated = 0;
  for (const group of groups) {
    const own = new Map<string, number>();
    for (const event of group) {
      const content = contentOf(event);
      const ordinal = (own.get(content) ?? 0) + 1;
      own.set(content, ordinal);
      if (ordinal > (counts.get(content) ?? 0)) {
        counts.set(content, ordinal);
        events.push(event);
      } else repeated++;
    }
  }
  return { events, repeated };
}
