import { describe, expect, it } from "vitest";
import { cellPseudonymOf, logEventOf, logPseudonymOf, logRecommendationOf } from "./hashed-names.ts";
import { pseudonymKeysOf } from "./pseudonym-keys.ts";

const ann = "a".repeat(64);
const bob = "b".repeat(64);

describe("S12: hashed names", () => {
  it("are the same each time, and differ by user, application, recommendation, event and secret", async () => {
    const names = async (secret: string) => {
      const keys = await pseudonymKeysOf({ PSEUDONYM_SECRET: secret.repeat(32) });
      return Promise.all([
        logPseudonymOf(keys, ann),
        logPseudonymOf(keys, bob),
        cellPseudonymOf(keys, ann),
        logRecommendationOf(keys, "demo", "r"),
        logRecommendationOf(keys, "demo", "s"),
        logRecommendationOf(keys, "other", "r"),
        logEventOf(keys, ann, "e"),
        logEventOf(keys, bob, "e"),
        logEventOf(keys, ann, "f"),
      ]);
    };
    const first = await names("x");
    expect(await names("x")).toEqual(first);
    expect(new Set([...first, ...(await names("y")), ann, bob]).size).toBe(20);
    for (const [i, name] of first.entries())
      expect(name).toMatch(i < 3 ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{32}$/);
  });
});
