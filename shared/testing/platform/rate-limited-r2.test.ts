import { describe, expect, it } from "vitest";
import { rateLimitedBucket } from "./rate-limited-r2.ts";

/** Returns a bucket of the test with its content and a clock in milliseconds. */
function bucketWithClock() {
  const content = new Map<string, unknown>();
  const clock = { now: 0 };
  const inner = {
    put: async (key: string, value: unknown) => {
      content.set(key, value);
      return null as unknown as R2Object;
    },
    get: async (key: string) => content.get(key) ?? null,
  };
  return {
    bucket: rateLimitedBucket(inner as never as Pick<R2Bucket, "put" | "get">, () => clock.now),
    content,
    clock,
  };
}

describe("rateLimitedBucket", () => {
  it("refuses a second write to a key within a second, and keeps the first", async () => {
    const { bucket, content, clock } = bucketWithClock();
    await bucket.put("a", "1");
    clock.now = 999;
    await expect(bucket.put("a", "2")).rejects.toThrow(/\(10058\)$/);
    expect(content.get("a")).toBe("1");
    clock.now = 1000;
    await bucket.put("a", "3");
    expect(await bucket.get("a")).toBe("3");
  });

  it("counts each key for itself, and no refused write", async () => {
    const { bucket, content, clock } = bucketWithClock();
    await bucket.put("a", "1");
    await bucket.put("b", "1");
    clock.now = 500;
    await expect(bucket.put("a", "2")).rejects.toThrow();
    clock.now = 1000;
    await bucket.put("a", "3");
    expect([...content]).toEqual([
      ["a", "3"],
      ["b", "1"],
    ]);
  });
});
