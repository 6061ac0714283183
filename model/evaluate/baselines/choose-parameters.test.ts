import { describe, expect, it } from "vitest";
import { Random } from "../../train/random.ts";
import { chooseParameters } from "./choose-parameters.ts";

const values = { a: [0, 1, 2, 3, 4], b: [10, 20, 40, 80] };
/** One hill, with its top at a = 3 and b = 40. */
const hill = ({ a, b }: Record<"a" | "b", number>): number => -((a - 3) ** 2) - Math.log2(b / 40) ** 2;

describe("chooseParameters", () => {
  it("finds the top of a hill from each start, whatever the order of the parameters", () => {
    for (const a of values.a)
      for (const b of values.b)
        for (const seed of [1, 2, 3])
          expect(chooseParameters(values, { a, b }, hill, 100, new Random(seed))).toEqual({ a: 3, b: 40 });
  });

  it("evaluates nothing twice, and not more than its budget", () => {
    for (const budget of [1, 2, 5, 100]) {
      const asked: string[] = [];
      const found = chooseParameters(
        values,
        { a: 0, b: 10 },
        (parameters) => {
          asked.push(JSON.stringify(parameters));
          return hill(parameters);
        },
        budget,
        new Random(1),
      );
      expect(asked.length).toBeLessThanOrEqual(budget);
      expect(new Set(asked).size).toBe(asked.length);
      // The best of what was evaluated, also if the budget ended the search.
      expect(hill(found)).toBe(Math.max(...asked.map((text) => hill(JSON.parse(text)))));
    }
  });

  it("stays where it starts if nothing is better", () => {
    expect(chooseParameters(values, { a: 2, b: 20 }, () => 1, 100, new Random(1))).toEqual({ a: 2, b: 20 });
  });
});
