import { describe, expect, it } from "vitest";
import { batchKey, batchPrefix, mayHoldUser } from "./keys.ts";

const users = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0").repeat(32));

describe("batchKey", () => {
  it("names the day and rules out most users that the batch has not", () => {
    for (const user of users) {
      const key = batchKey("demo", "2026-01-31", [user], "b".repeat(32));
      expect(key.startsWith(batchPrefix("demo", "2026-01-31"))).toBe(true);
      expect(mayHoldUser(key, user)).toBe(true);
      expect(users.filter((other) => mayHoldUser(key, other)).length).toBeLessThan(8);
    }
    const all = batchKey("demo", "2026-01-31", users, "b".repeat(32));
    expect(users.every((user) => mayHoldUser(all, user))).toBe(true);
  });
});

describe("mayHoldUser", () => {
  it("reads the shard in the keys of older batches, and rules out nobody without one", () => {
    for (const [i, user] of users.entries()) {
      for (let shard = 0; shard < 8; shard++)
        expect(mayHoldUser(`demo/log/v1/2026-01-31/${shard}/name.ndjson.gz`, user)).toBe(shard === i % 8);
      expect(mayHoldUser("demo/log/v1/2026-01-31/name.ndjson.gz", user)).toBe(true);
    }
  });
});
