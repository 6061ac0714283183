import { describe, expect, it } from "vitest";
import type { DatasetEvent } from "../data/dataset.ts";
import { userParts } from "./user-parts.ts";

const eventsOf = (counts: Record<string, number>): DatasetEvent[] =>
  Object.entries(counts).flatMap(([userId, n]) =>
    Array.from({ length: n }, (_, time) => ({
      userId,
      itemId: "p",
      type: "click" as const,
      time,
      lat: null,
      lon: null,
    })),
  );

describe("userParts", () => {
  it("gives each user to one part, and divides the events evenly", () => {
    const parts = userParts(eventsOf({ a: 1, b: 5, c: 2, d: 3, e: 1 }), 2);
    expect(parts).toEqual([new Set(["b", "a"]), new Set(["d", "c", "e"])]);
  });

  it("makes no part without a user", () => {
    expect(userParts(eventsOf({ a: 2 }), 4)).toEqual([new Set(["a"])]);
    expect(userParts([], 4)).toEqual([]);
  });
});
