import { describe, expect, it } from "vitest";
import { leafPolicy, publishAt } from "./publish-policy.ts";

const now = 1_000_000;
const clean = { changed: false, counted: 0, shown: 100, publishedAt: now - 500 };

describe("publishAt", () => {
  it("publishes changes within a second, counters within a minute, crumbs later, and nothing for nothing", () => {
    expect(publishAt(clean, now, leafPolicy)).toBeNull();
    expect(publishAt({ ...clean, changed: true }, now, leafPolicy)).toBe(now + 500);
    expect(publishAt({ ...clean, changed: true, publishedAt: 0 }, now, leafPolicy)).toBe(now + 100);
    expect(publishAt({ ...clean, counted: 10 }, now, leafPolicy)).toBe(now - 500 + 60_000);
    expect(publishAt({ ...clean, counted: 1 }, now, leafPolicy)).toBe(now + 600_000);
    expect(publishAt({ ...clean, counted: 100 }, now, leafPolicy)).toBe(now + 4500);
  });
});
