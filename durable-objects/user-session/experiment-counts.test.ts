import { describe, expect, it } from "vitest";
import { countsAfter } from "./experiment-counts.ts";

/** What the store keeps by name. */
function kept() {
  const values = new Map<string, string>();
  return {
    get: (name: string) => values.get(name) ?? null,
    set: (name: string, value: string) => void values.set(name, value),
  };
}

describe("the counts of a person in an experiment", () => {
  it("grow by one exposure with each impression, and by a success where something shown was wanted", () => {
    const store = kept();
    const countsOf = (outcomes: string[], variant = "rollout:v2/canary") =>
      countsAfter(
        store,
        { variant },
        outcomes.map((type) => ({ type })),
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

  it("are not kept for what is of no experiment", () => {
    const store = kept();
    expect(countsAfter(store, { variant: "default" }, [{ type: "click" }], 1)).toBeNull();
    expect(store.get("counts:default")).toBeNull();
  });
});
