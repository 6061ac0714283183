import { describe, expect, it } from "vitest";
import type { EventInput } from "../../shared/contracts/event.ts";
import { splitIntoLanes, splitRequests } from "./request-lanes.ts";

const eventsOf = (userId: string, count: number): EventInput[] =>
  Array.from({ length: count }, (_, i) => ({
    eventId: `${userId}${i}`,
    userId,
    type: "view",
    productId: "p",
  }));
const limits = { maxItems: 10, maxBytes: 1_000_000 };
const usersOf = (lane: string[][]): Set<string> =>
  new Set(lane.flat().map((line) => JSON.parse(line).userId));

describe("splitIntoLanes", () => {
  it("fills requests with whole users, and gives a user with many events a lane of several requests", () => {
    const events = [
      eventsOf("a", 4),
      eventsOf("b", 5),
      eventsOf("c", 3),
      eventsOf("d", 25),
      eventsOf("e", 1),
    ].flat();
    const lanes = splitIntoLanes(events, limits);
    expect(lanes.map((lane) => lane.map(({ length }) => length))).toEqual([[9], [3], [10, 10, 5], [1]]);
    expect(lanes.map(usersOf)).toEqual([new Set(["a", "b"]), new Set(["c"]), new Set(["d"]), new Set(["e"])]);
  });

  it("loses no event and splits no user over two lanes, for any sizes", () => {
    for (let seed = 0; seed < 200; seed++) {
      const events = Array.from({ length: seed % 9 }, (_, i) =>
        eventsOf(`u${i}`, (seed * (i + 3) * 7) % 23),
      ).flat();
      const lanes = splitIntoLanes(events, limits);
      expect(lanes.flat(2)).toEqual(events.map((event) => JSON.stringify(event)));
      const users = lanes.flatMap((lane) => [...usersOf(lane)]);
      expect(users.length).toBe(new Set(users).size);
      for (const request of lanes.flat()) expect(request.length).toBeLessThanOrEqual(limits.maxItems);
    }
  });
});

describe("splitRequests", () => {
  it("keeps requests below the limit of bytes, counted in UTF-8", () => {
    const items = Array.from({ length: 9 }, () => "é".repeat(100));
    expect(splitRequests(items, { maxItems: 100, maxBytes: 500 }).map(({ length }) => length)).toEqual([
      2, 2, 2, 2, 1,
    ]);
  });
});
