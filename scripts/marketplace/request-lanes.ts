import type { EventInput } from "../../shared/contracts/event.ts";

/** Bounds of one request, at most those of the API: 10,000 products or 1,000 events, and 32 MiB. */
export interface RequestLimits {
  maxItems: number;
  maxBytes: number;
}

/** The lines of one request, as JSON. */
export type RequestLines = string[];

/** Returns the items as requests within the limits, in order. */
export function splitRequests(
  items: readonly unknown[],
  { maxItems, maxBytes }: RequestLimits,
): RequestLines[] {
  const requests: RequestLines[] = [];
  let current: RequestLines = [];
  let bytes = 0;
  for (const item of items) {
    const line = JSON.stringify(item);
    const size = Buffer.byteLength(line) + 1;
    if (current.length > 0 && (current.length === maxItems || bytes + size > maxBytes)) {
      requests.push(current);
      current = [];
      bytes = 0;
    }
    current.push(line);
    bytes += size;
  }
  if (current.length > 0) requests.push(current);
  return requests;
}

/**
 * Splits events, which are grouped by user, into lanes of requests. The requests of one lane are sent one after another,
 * and lanes at the same time. All events of a user are in one lane, so no two requests write to a user at once, and a
 * user with many events has many requests.
 */
export function splitIntoLanes(events: readonly EventInput[], limits: RequestLimits): RequestLines[][] {
  const lanes: RequestLines[][] = [];
  let lane = 0;
  let user = 0;
  const endLane = (end: number): void => {
    if (end > lane) lanes.push(splitRequests(events.slice(lane, end), limits));
    lane = end;
  };
  for (let i = 1; i <= events.length; i++) {
    if (i < events.length && events[i].userId === events[i - 1].userId) continue;
    // The user's events, from `user` to `i`, do not fit into one request with those before them.
    if (i - lane > limits.maxItems) endLane(user);
    user = i;
  }
  endLane(events.length);
  return lanes;
}
