import { afterEach, describe, expect, it, vi } from "vitest";
import { retention } from "../contracts/retention.ts";
import type { ExpiringBucket } from "../retention/remove-expired.ts";
import { removeExpiredDeadLetters } from "./remove-expired-dead-letters.ts";

afterEach(() => vi.restoreAllMocks());

describe("removeExpiredDeadLetters", () => {
  it("removes the messages of an application although those of another cannot be listed", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const deleted: string[] = [];
    const bucket = {
      list: async ({ prefix }: { prefix?: string }) => {
        if (prefix?.startsWith("broken/")) throw new Error("no access");
        const objects = prefix ? [{ key: `${prefix}1`, uploaded: new Date(0) }] : [];
        return { objects, delimitedPrefixes: ["broken/", "shop/"], truncated: false };
      },
      delete: async (keys: string[]) => {
        deleted.push(...keys);
      },
    } as unknown as ExpiringBucket;
    const now = Date.parse("2026-01-31T12:00:00Z") / 1000;
    expect(await removeExpiredDeadLetters(bucket, retention.parse({}), now)).toEqual({ deadLetters: 1 });
    expect(deleted).toEqual(["shop/dead/1"]);
  });
});
