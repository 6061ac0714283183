import { describe, expect, it } from "vitest";
import { rateLimitedBucket } from "../testing/platform/rate-limited-r2.ts";
import { putAtRate } from "./put-at-rate.ts";

describe("putAtRate", () => {
  it("writes a key again after a second", async () => {
    const content = new Map<string, unknown>();
    let now = 0;
    const inner = { put: async (key: string, value: unknown) => content.set(key, value) };
    const bucket = rateLimitedBucket(inner as never as Pick<R2Bucket, "put">, () => now);
    const wait = async (ms: number): Promise<void> => {
      now += ms;
    };
    for (const value of ["1", "2", "3"]) await putAtRate(bucket, "a", value, wait);
    expect([content.get("a"), now]).toEqual(["3", 2200]);
  });

  it("throws other errors at once, and the refusal after five attempts", async () => {
    let calls = 0;
    const failing = (message: string) => ({
      put: async () => {
        calls++;
        throw new Error(message);
      },
    });
    const wait = async (): Promise<void> => undefined;
    await expect(putAtRate(failing("put: internal error (10001)"), "a", "", wait)).rejects.toThrow("10001");
    expect(calls).toBe(1);
    await expect(putAtRate(failing("put: too many (10058)"), "a", "", wait)).rejects.toThrow("10058");
    expect(calls).toBe(6);
  });
});
