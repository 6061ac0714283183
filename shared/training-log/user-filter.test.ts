import { describe, expect, it } from "vitest";
import { batchFilterOf, batchMayContain, filterOf, mayContain, shardOf } from "./user-filter.ts";

/** Returns names as the log has them: digits of a hash. */
const names = (count: number, seed: number): string[] =>
  Array.from({ length: count }, (_, i) => {
    const digits = Math.imul(i + seed, 0x9e3779b1) >>> 0;
    return digits.toString(16).padStart(8, "0").repeat(8);
  });

describe("filterOf", () => {
  it("lets all of its users pass, and at most one of twenty others", () => {
    for (const count of [0, 1, 30, 1000]) {
      const users = names(count, 1);
      const filter = filterOf(new Set(users));
      expect(users.every((user) => mayContain(filter, user))).toBe(true);
      const others = names(2000, 1_000_000).filter((user) => mayContain(filter, user));
      expect(others.length, `${count} users`).toBeLessThan(100);
    }
  });

  it("fits into the metadata of an object, however many users there are", () => {
    const users = names(20_000, 1);
    const filter = filterOf(new Set(users));
    expect(filter.length).toBeLessThan(8000);
    expect(users.slice(0, 500).every((user) => mayContain(filter, user))).toBe(true);
  });

  it("lets everybody pass where there is none", () => {
    expect(mayContain(undefined, names(1, 1)[0])).toBe(true);
  });
});

describe("batchFilterOf", () => {
  it("lets its users pass, and few others", () => {
    const users = names(20, 1);
    const filter = batchFilterOf(users);
    expect(users.every((user) => batchMayContain(filter, user))).toBe(true);
    const passing = names(2000, 1_000_000).filter((user) => batchMayContain(filter, user));
    expect(passing.length).toBeLessThan(250);
  });
});

describe("shardOf", () => {
  it("spreads users evenly, and divides a shard into two with each further bit", () => {
    const counts = new Map<number, number>();
    for (const user of names(16_000, 7)) {
      const shard = shardOf(user, 4);
      counts.set(shard, (counts.get(shard) ?? 0) + 1);
      expect(shardOf(user, 5) >> 1).toBe(shard);
      expect(shardOf(user, 0)).toBe(0);
    }
    expect(counts.size).toBe(16);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it("takes names that are no numbers", () => {
    expect(shardOf("ann", 4)).toBeGreaterThanOrEqual(0);
    expect(shardOf("ann", 4)).toBeLessThan(16);
  });
});
