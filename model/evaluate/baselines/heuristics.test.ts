import { describe, expect, it } from "vitest";
import type { Dataset } from "../../data/dataset.ts";
import { heuristic } from "./heuristic.ts";
import { orderHeuristic } from "./order-heuristic.ts";
import { choice, noon, questionAfter, shop } from "./testing.ts";
import type { TunedMethod } from "./tuned-method.ts";
import { choicesIn } from "./user-choices.ts";

const hour = 3600;
const day = 24 * hour;

/** Returns the scores of the items for user `u` at a time, by a method whose parameters are 0 but for the given ones. */
function scores<Name extends string>(
  method: TunedMethod<Name>,
  dataset: Dataset,
  time: number,
  given: Partial<Record<Name, number>>,
): Record<string, number> {
  const zero = Object.fromEntries(Object.keys(method.values).map((name) => [name, 0]));
  const parameters = { ...zero, halfLife: 1e9, hourWidth: 1, ...given } as Record<Name, number>;
  const found = new Float64Array(dataset.items.size);
  method.fit(dataset, choicesIn(dataset, dataset.train))(found, questionAfter(dataset, time), parameters);
  return Object.fromEntries([...dataset.items.keys()].map((id, i) => [id, found[i]]));
}

const methods: [string, TunedMethod<"halfLife" | "own" | "all">][] = [
  ["heuristic", heuristic],
  ["orderHeuristic", orderHeuristic],
] as never;

describe.each(methods)("%s", (_, method) => {
  const train = ["a", "b", "a", "c", "a"].map((id, i) => choice(id, noon + i * day));
  const other = ["a", "d", "a", "d"].map((id, i) => choice(id, noon + i * day, "v"));
  const dataset = shop({ train: [...train, ...other] });

  it("scores by the share of the user's choices, newer ones higher", () => {
    const even = scores(method, dataset, noon + 9 * day, {});
    expect([even.a, even.b, even.c, even.d]).toEqual(
      [3 / 5, 1 / 5, 1 / 5, 0].map((x) => expect.closeTo(x, 6)),
    );
    const recent = scores(method, dataset, noon + 9 * day, { halfLife: 1 });
    // Ages 0 to 4: weights 1, 1/2, 1/4, 1/8, 1/16, in total 31/16.
    expect(recent.c).toBeCloseTo(8 / 31, 6);
    expect(recent.b).toBeCloseTo(2 / 31, 6);
  });

  it("adds what followed the last choice, for the user and for all", () => {
    const base = scores(method, dataset, noon + 9 * day, {});
    const own = scores(method, dataset, noon + 9 * day, { own: 1 });
    // After a the user chose b and c, once each; 2 pseudo-counts.
    expect(own.b - base.b).toBeCloseTo(1 / 4, 9);
    expect(own.d - base.d).toBe(0);
    const all = scores(method, dataset, noon + 9 * day, { all: 1 });
    // After a all users chose b, c, d and d; 5 pseudo-counts.
    expect(all.d - base.d).toBeCloseTo(2 / 9, 9);
  });

  it("scores all products the same for a user without choices, if popularity has no weight", () => {
    const empty = shop({ train: other });
    expect(new Set(Object.values(scores(method, empty, noon, { own: 1, all: 1 })))).toEqual(new Set([0]));
  });
});

describe("heuristic", () => {
  it("prefers what the user chose at this hour, across midnight", () => {
    const train = [choice("a", noon), choice("b", noon + 11.5 * hour)];
    const parameters = { hourWeight: 10 };
    const atNoon = scores(heuristic, shop({ train }), noon + 5 * day, parameters);
    const afterMidnight = scores(heuristic, shop({ train }), noon + 5 * day + 12.5 * hour, parameters);
    expect(atNoon.a).toBeGreaterThan(atNoon.b);
    expect(afterMidnight.b).toBeGreaterThan(afterMidnight.a);
  });

  it("reads the hour of the place, not of UTC", () => {
    // Tokyo is 9 hours ahead: the same instant, asked from there, is another local hour.
    const train = [choice("a", noon - 9 * hour), choice("b", noon)];
    const tokyo = shop({ train }, { a: [35.7, 139.7], b: [35.7, 139.7] });
    const found = scores(heuristic, tokyo, noon + 3 * day, { hourWeight: 10 });
    expect(found.b).toBeGreaterThan(found.a);
  });

  it("prefers near products, across the date line, and popular ones among equals", () => {
    const train = [choice("a", noon), ...[1, 2, 3].map((i) => choice("c", noon + i, "v"))];
    const places: Record<string, [number, number]> = {
      a: [0, 179.99],
      b: [0, -179.99],
      c: [0, -179.99],
      d: [0, 170],
    };
    const found = scores(heuristic, shop({ train }, places), noon + day, { near: 1 });
    expect(found.b).toBeGreaterThan(found.d);
    expect(found.c).toBeGreaterThan(found.b);
    // Without a location a product is nowhere near.
    expect(found.e).toBe(0);
  });
});

describe("orderHeuristic", () => {
  it("adds what followed the last two choices", () => {
    const train = ["a", "b", "c", "d", "b", "e", "a", "b"].map((id, i) => choice(id, noon + i));
    const dataset = shop({ train });
    const base = scores(orderHeuristic, dataset, noon + day, {});
    const pairs = scores(orderHeuristic, dataset, noon + day, { ownPair: 1 });
    // After a, b came c; e came after b, but after d, b.
    expect(pairs.c - base.c).toBeCloseTo(1 / 3, 9);
    expect(pairs.e - base.e).toBe(0);
  });

  it("gives the same scores whatever the clock says", () => {
    const ids = ["a", "b", "a", "c"];
    const parameters = { own: 1, ownPair: 1, all: 1, popular: 1 };
    const [slow, fast] = [day, hour / 7].map((gap) => {
      const dataset = shop({ train: ids.map((id, i) => choice(id, noon + i * gap)) });
      return scores(orderHeuristic, dataset, noon + 99 * day, parameters);
    });
    expect(fast).toEqual(slow);
  });
});
