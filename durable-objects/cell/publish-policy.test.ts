import { describe, expect, it } from "vitest";
import { leafPolicy, publishAt } from "./publish-policy.ts";

const now = 1_000_000;
const unchanged = {
  contentChanged: false,
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
    expect(publishAt({ ...unchanged, pendingInteractions: 1 }, now, leafPolicy)).toBe(now + 600_000);
    expect(publishAt({ ...unchanged, pendingInteractions: 100 }, now, leafPolicy)).toBe(now + 4500);
  });
});
