import { describe, expect, it } from "vitest";
import { attributeColumn } from "../columns/optional-columns.ts";
import { blockOf } from "../features/testing.ts";
import { sigmoid } from "../sigmoid.ts";
import { expectedWorth } from "./objective.ts";

const logits = { engage: Float32Array.of(0, 1, -1, 2), purchase: Float32Array.of(-2, -1, -3, 0) };
const margin = (value: number) => ({
  optional: [{ name: attributeColumn("margin"), type: "number" as const, value }],
});
const rowsOf = (margins: readonly (number | null)[]) => {
  const block = blockOf(margins.map((value) => (value === null ? {} : margin(value))));
  return margins.map((_, row) => ({ block, row }));
};
const without = rowsOf([null, null, null, null]);

describe("expectedWorth", () => {
  it("adds the worth of clicks and of purchases by their calibrated probabilities", () => {
    const calibration = { click: { slope: 2, offset: 0.5 }, purchase: { slope: 1, offset: -1 } };
    const worth = expectedWorth({ click: 0.1, purchase: 30 }, logits, calibration, without);
    worth.forEach((each, i) => {
      const { engage, purchase } = logits;
      expect(each).toBeCloseTo(0.1 * sigmoid(2 * engage[i] + 0.5) + 30 * sigmoid(purchase[i] - 1), 12);
    });
    expect([...expectedWorth({ click: 2 }, logits, undefined, without)]).toEqual(
      Array.from(logits.engage, (logit) => 2 * sigmoid(logit)),
    );
  });

  it("multiplies by the margin; negative ones are 0, absent ones the mean", () => {
    const products = [...rowsOf([2, null, -5]), ...rowsOf([10])];
    const worth = expectedWorth({ purchase: 3, margin: "margin" }, logits, undefined, products);
    expect([...worth]).toEqual([2, 4, 0, 10].map((each, i) => 3 * sigmoid(logits.purchase[i]) * each));
    const unknown = expectedWorth({ purchase: 3, margin: "margin" }, logits, undefined, without);
    expect([...unknown]).toEqual([...expectedWorth({ purchase: 3 }, logits, undefined, without)]);
  });
});
