import { describe, expect, it } from "vitest";
import { leafPolicy, publishAt, publishableFrom } from "./publish-policy.ts";

const now = 1_000_000;
const unchanged = {
  contentChanged: false,
  renew: false,
  pendingInteractions: 0,
  publishedInteractions: 100,
  publishedAt: now - 500,
};

describe("publishAt", () => {
  it("publishes changes within a second, counts within a minute, small growth later, and nothing without changes", () => {
    expect(publishAt(unchanged, now, leafPolicy)).toBeNull();
    expect(publishAt({ ...unchanged, contentChanged: true }, now, leafPolicy)).toBe(now + 500);
    expect(publishAt({ ...unchanged, contentChanged: true, publishedAt: 0 }, now, leafPolicy)).toBe(
      now + 100,
    );
    expect(publishAt({ ...unchanged, pendingInteractions: 10 }, now, leafPolicy)).toBe(now - 500 + 60_000);
    expect(publishAt({ ...unchanged, pendingInteractions: 9 }, now, leafPolicy)).toBe(now + 6 * 3_600_000);
    const many = { ...unchanged, publishedInteractions: 1000 };
    expect(publishAt({ ...many, pendingInteractions: 19 }, now, leafPolicy)).toBe(now + 6 * 3_600_000);
    expect(publishAt({ ...many, pendingInteractions: 20 }, now, leafPolicy)).toBe(now + 600_000);
    expect(publishAt({ ...unchanged, pendingInteractions: 100 }, now, leafPolicy)).toBe(now + 4500);
    expect(publishAt({ ...unchanged, renew: true }, now, leafPolicy)).toBe(now + 500);
  });

  it("publishes counts at the time for which they were scheduled", () => {
    for (const pendingInteractions of [1, 10, 100])
      for (const publishedAt of [0, now - 500]) {
        const state = { ...unchanged, pendingInteractions, publishedAt };
        const at = publishAt(state, now, leafPolicy);
        expect(publishableFrom(state, leafPolicy)).toBeLessThanOrEqual(at ?? 0);
      }
  });

  it("gathers the counts that follow the first one after a quiet time, unless they grow much", () => {
    const quiet = { ...unchanged, publishedAt: 0 };
    expect(publishAt({ ...quiet, pendingInteractions: 1 }, now, leafPolicy)).toBe(now + 6 * 3_600_000);
    expect(publishAt({ ...quiet, pendingInteractions: 10 }, now, leafPolicy)).toBe(now + 100);
    expect(publishAt({ ...quiet, pendingInteractions: 100 }, now, leafPolicy)).toBe(now + 100);
  });
});
