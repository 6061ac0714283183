import { describe, expect, it } from "vitest";
import { logKey, logPrefix, logShardOf, mayHoldUser } from "./keys.ts";

describe("logKey", () => {
  it("names the day and the shard, so that users of other shards are ruled out", () => {
    const users = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0").padEnd(64, "a"));
    for (const pseudonym of users) {
      const key = logKey("demo", "2026-01-31", logShardOf(pseudonym), "b".repeat(32));
      expect(key.startsWith(logPrefix("demo", "2026-01-31"))).toBe(true);
      for (const other of users)
        expect(mayHoldUser(key, other)).toBe(logShardOf(other) === logShardOf(pseudonym));
      expect(mayHoldUser("demo/log/v1/2026-01-31/name.ndjson.gz", pseudonym)).toBe(true);
    }
  });
});
