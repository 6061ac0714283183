import { describe, expect, it } from "vitest";
import { leafPace, publishAt } from "./publish-policy.ts";

const now = 1_000_000;
const clean = { changed: false, counted: 0, shown: 100, publishedAt: now - 500 };

describe("publishAt", () => {
  it("publishes changes within a second, counters within a minute, crumbs later, and nothing for nothing", () => {
    expect(publishAt(clean, now, leafPace)).toBeNull();
    expect(publishAt({ ...clean, changed: true }, now, leafPace)).toBe(now + 500);
    expect(publishAt({ ...clean, changed: true, publishedAt: 0 }, now, leafPace)).toBe(now + 100);
    expect(publishAt({ ...clean, counted: 10 }, now, leafPace)).toBe(now - 500 + 60_000);
    expect(publishAt({ ...clean, counted: 1 }, now, leafPace)).toBe(now + 600_000);
    expect(publishAt({ ...clean, counted: 100 }, now, leafPace)).toBe(now + 4500);
  });
});
