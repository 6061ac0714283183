import { describe, expect, it } from "vitest";
import type { Dataset, DatasetEvent } from "../../data/dataset.ts";
import { parseDataset } from "../../data/read-files.ts";
import type { Baseline } from "./baseline.ts";
import { countingMethods } from "./counting-methods.ts";

/** Four products: a and b at one location, c a kilometer away, d without a location. */
const town: Dataset = parseDataset([
  {
    name: "town.item",
    text: "item_id:token\tlat:float\tlon:float\na\t60\t10\nb\t60\t10\nc\t60.01\t10\nd\t\t",
  },
  {
    name: "town.train.inter",
    text: [
      "user_id:token\titem_id:token\ttimestamp:float",
      ...["u a 1", "u b 2", "u a 3", "u b 4", "v b 5", "v c 6", "v b 7"].map((row) =>
        row.replaceAll(" ", "\t"),
      ),
    ].join("\n"),
  },
  { name: "town.valid.inter", text: "user_id:token\titem_id:token\ttimestamp:float\nv\tc\t8" },
  { name: "town.test.inter", text: "user_id:token\titem_id:token\ttimestamp:float\nu\ta\t9" },
]);
const past: DatasetEvent[] = [...town.train, ...town.valid];

/** Returns a function that scores the four products by a method, after all past events. */
function observePast(): (name: string, userId: string) => number[] {
  const methods = countingMethods(town, past);
  for (const event of past) for (const method of methods) method.observe(event);
  return (name, userId) => {
    const method = methods.find((each) => each.name === name) as Baseline;
    return [...method.score({ ...town.test[0], userId })].map((score) => Math.round(score * 1e6) / 1e6);
  };
}

describe("baselines", () => {
  const scores = observePast();

  it("score by their formulas", () => {
    expect(scores("popularity", "u")).toEqual([2, 4, 2, 0]);
    expect(scores("frequency", "u")).toEqual([0.5, 0.5, 0, 0]);
    // The last item of u is b. Transitions from b: u once to a; all users once to a and twice to c.
    const transition = (own: number, all: number): number =>
      Math.round((own / (1 + 2) + (0.3 * all) / (3 + 5)) * 1e6) / 1e6;
    expect(scores("frequencyMarkov", "u")).toEqual([0.5 + transition(1, 1), 0.5, transition(0, 2), 0]);
    expect(scores("itemTransitions", "u")).toEqual([1 / 8, 0, 2 / 8, 0]);
  });

  it("score a new user by popularity alone", () => {
    const popular = (all: number[]): number => all.indexOf(Math.max(...all));
    expect(scores("frequency", "new")).toEqual([0, 0, 0, 0]);
    expect(popular(scores("popularity", "new"))).toBe(1);
  });

  it("rank by distance from the last event, with unlocated products last", () => {
    // The last item of v is c.
    const [a, b, c, d] = scores("distance", "v");
    expect(c).toBeGreaterThan(b);
    expect(b - a).toBeCloseTo(0, 6);
    expect(d).toBeLessThan(a);
  });

  it("update only the counts of the observed event's user", () => {
    const methods = countingMethods(town, past);
    for (const event of past) for (const method of methods) method.observe(event);
    const frequency = methods.find(({ name }) => name === "frequency") as Baseline;
    const markov = methods.find(({ name }) => name === "frequencyMarkov") as Baseline;
    const event = town.test[0];
    const before = [...markov.score({ ...event, userId: "v" })];
    for (const method of methods) method.observe({ ...event, itemId: "d" });
    expect(frequency.score(event)[3]).toBeGreaterThan(0.19);
    expect([...markov.score({ ...event, userId: "v" })]).toEqual(before);
  });
});
