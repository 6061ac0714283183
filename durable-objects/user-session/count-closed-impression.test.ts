import { describe, expect, it } from "vitest";
import { countClosedImpression } from "./count-closed-impression.ts";

/** Returns a store that has only the table `meta`. */
function metaStore() {
  const values = new Map<string, string>();
  return {
    getMeta: (name: string) => values.get(name) ?? null,
    setMeta: (name: string, value: string) => void values.set(name, value),
  };
}

describe("countClosedImpression", () => {
  it("adds one exposure per impression, and one success if it led to a click, cart or purchase", () => {
    const store = metaStore();
    const countsOf = (outcomes: string[], variant = "rollout:v2/canary") =>
      countClosedImpression(
        store,
        { variant },
        outcomes.map((type) => ({ product: "a", type })),
        1,
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
      countClosedImpression(metaStore(), { variant }, outcomes, 1)?.counts.successes;
    expect(successesOf([clicked, dismissed])).toBe(0);
    expect(successesOf([clicked, dismissed, { product: "b", type: "click" }])).toBe(1);
    expect(successesOf([clicked, dismissed, { product: "a", type: "purchase" }])).toBe(1);
  });

  it("stores no counts for an impression without an experiment", () => {
    const store = metaStore();
    expect(
      countClosedImpression(store, { variant: "default" }, [{ product: "a", type: "click" }], 1),
    ).toBeNull();
    expect(store.getMeta("counts:default")).toBeNull();
  });
});
