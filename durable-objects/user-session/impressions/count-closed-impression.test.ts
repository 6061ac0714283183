import { describe, expect, it } from "vitest";
import { addStoredCounts, countClosedImpression } from "./count-closed-impression.ts";

/** Returns a store that has only the table `meta`. */
function metaStore() {
  const values = new Map<string, string>();
  return {
    getMeta: (name: string) => values.get(name) ?? null,
    setMeta: (name: string, value: string) => void values.set(name, value),
  };
}

const time = "2026-01-05T12:00:00.000Z";

describe("countClosedImpression", () => {
  it("adds one exposure per impression, and one success if it led to a click, cart or purchase", () => {
    const store = metaStore();
    const countsOf = (outcomes: string[], variant = "rollout:v2/canary") =>
      countClosedImpression(
        store,
        { variant, time },
        outcomes.map((type) => ({ product: "a", type })),
        1,
        99,
      );
    const canary = { experiment: "rollout:v2", arm: "canary" };
    expect(countsOf([])).toEqual({
      id: "counts:rollout:v2/canary:1",
      counts: { ...canary, exposures: 1, successes: 0 },
    });
    expect(countsOf(["view", "click", "purchase"])?.counts).toEqual({
      ...canary,
      exposures: 2,
      successes: 1,
    });
    expect(countsOf(["view", "dismiss"])?.counts).toEqual({ ...canary, exposures: 3, successes: 1 });
    expect(countsOf(["cart"], "rollout:v3/control")).toEqual({
      id: "counts:rollout:v3/control:1",
      counts: { experiment: "rollout:v3", arm: "control", exposures: 1, successes: 1 },
    });
    expect(countsOf(["purchase"])?.counts).toEqual({ ...canary, exposures: 4, successes: 2 });
  });

  it("L6: counts no success for a product that was clicked and then dismissed", () => {
    const variant = "rollout:v2/canary";
    const clicked = { product: "a", type: "click" };
    const dismissed = { product: "a", type: "dismiss" };
    const successesOf = (outcomes: { product: string; type: string }[]) =>
      countClosedImpression(metaStore(), { variant, time }, outcomes, 1, 99)?.counts.successes;
    expect(successesOf([clicked, dismissed])).toBe(0);
    expect(successesOf([clicked, dismissed, { product: "b", type: "click" }])).toBe(1);
    expect(successesOf([clicked, dismissed, { product: "a", type: "purchase" }])).toBe(1);
  });

  it("stores no counts for an impression without an experiment", () => {
    const store = metaStore();
    expect(
      countClosedImpression(store, { variant: "default", time }, [{ product: "a", type: "click" }], 1, 99),
    ).toBeNull();
    expect(store.getMeta("counts:default")).toBeNull();
  });

  it("S3: counts a bounded number of impressions in each hour, so that no user decides an experiment", () => {
    const store = metaStore();
    const variant = "rollout:v2/canary";
    const clicked = [{ product: "a", type: "click" }];
    const countAt = (minutes: number) =>
      countClosedImpression(
        store,
        { variant, time: new Date(Date.parse(time) + minutes * 60_000).toISOString() },
        clicked,
        1,
        20,
      );
    const results = Array.from({ length: 59 }, (_, minute) => countAt(minute));
    expect(results.filter((each) => each !== null)).toHaveLength(20);
    expect(countAt(60)?.counts).toMatchObject({ exposures: 21, successes: 21 });
  });
});

describe("addStoredCounts", () => {
  it("adds up the counts of two users, and those of the newest hour", () => {
    const counts = (exposures: number, hour: number) =>
      JSON.stringify({ exposures, successes: 1, hour, inHour: exposures, at: 5 });
    expect(addStoredCounts(counts(3, 100), counts(4, 100))).toEqual({
      ...{ exposures: 7, successes: 2, hour: 100, inHour: 7 },
    });
    expect(addStoredCounts(counts(3, 100), counts(4, 99))).toMatchObject({ exposures: 7, inHour: 3 });
    expect(addStoredCounts(null, counts(4, 99))).toEqual({ exposures: 4, successes: 1, hour: 99, inHour: 4 });
    // Counts of earlier versions know no hour.
    expect(addStoredCounts('{"exposures":2,"successes":0}', counts(4, 99)).exposures).toBe(6);
  });
});
