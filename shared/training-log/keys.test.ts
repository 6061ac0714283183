import { expect, it } from "vitest";
import { logKey, logPrefix, mayHold, shardOf } from "./keys.ts";

it("an object is of one day and one shard, and holds nobody of another", () => {
  const people = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0").padEnd(64, "a"));
  for (const person of people) {
    const key = logKey("demo", "2026-01-31", shardOf(person), "b".repeat(32));
    expect(key.startsWith(logPrefix("demo", "2026-01-31"))).toBe(true);
    for (const other of people) expect(mayHold(key, other)).toBe(shardOf(other) === shardOf(person));
    expect(mayHold("demo/log/v1/2026-01-31/name.ndjson.gz", person)).toBe(true);
  }
});
