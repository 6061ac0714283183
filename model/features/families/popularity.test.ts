import { describe, expect, it } from "vitest";
import { emptyProfile } from "../../profile/profile.ts";
import { blockOf, contextOf, day, featureValues, now } from "../testing.ts";
import { popularityFeatures } from "./popularity.ts";

const valuesAt = (time: number, row: Parameters<typeof blockOf>[0][number]): Record<string, number> => {
  const block = blockOf([row], now - 7 * day);
  return featureValues(popularityFeatures, contextOf(emptyProfile(), block, { time }), block);
};
const popularRow = {
  counts: [80, 9, 2, 4, 1, 20],
  hot: [128, 40, 60],
  lastTime: now - 3 * day,
};

describe("popularityFeatures", () => {
  it("compute people, views and purchases in log, and rates smoothed towards 5% by 20 views", () => {
    const values = valuesAt(now, popularRow);
    expect(values.people).toBeCloseTo(Math.log(21), 5);
    expect(values.views).toBeCloseTo(Math.log(81) / 2, 5);
    expect(values.purchases).toBeCloseTo(Math.log(5) / 2, 5);
    expect(values.click_rate).toBeCloseTo(Math.log(10 / 100) / 3 + 1, 5);
    expect(values.purchase_rate).toBeCloseTo(Math.log(5 / 100) / 3 + 1, 5);
    expect(values.dismiss_rate).toBeCloseTo(Math.log(2 / 100) / 3 + 1, 5);
    expect(values.quiet_days).toBeCloseTo(Math.log(4) / 2, 5);
    expect(values.never_chosen).toBe(0);
  });

  it("decay engagement from the block's time to now", () => {
    const values = valuesAt(now, popularRow);
    const [daily, weekly, season] = [128 * 2 ** -7, 40 / 2, 60 * 2 ** (-7 / 60)];
    expect(values.hot_1d).toBeCloseTo(Math.log1p(daily) / 2, 5);
    expect(values.hot_7d).toBeCloseTo(Math.log1p(weekly) / 2, 5);
    expect(values.hot_60d).toBeCloseTo(Math.log1p(season) / 2, 5);
    expect(values.trend).toBeCloseTo(Math.log((7 * daily + 5) / (weekly + 5)) / 2, 5);
    expect(valuesAt(now + day, popularRow).hot_1d).toBeLessThan(values.hot_1d);
    expect(valuesAt(now + day, popularRow).quiet_days).toBeGreaterThan(values.quiet_days);
  });

  it("have no trend if the last day is like the rest of the week", () => {
    const block = blockOf([{ hot: [1, 7, 60] }]);
    expect(featureValues(popularityFeatures, contextOf(emptyProfile(), block), block).trend).toBe(0);
  });

  it("mark a product without interactions as never chosen, with the prior rates", () => {
    const values = valuesAt(now, {});
    expect(values.never_chosen).toBe(1);
    for (const name of ["people", "views", "purchases", "hot_1d", "hot_7d", "hot_60d", "trend", "quiet_days"])
      expect(values[name]).toBe(0);
    for (const name of ["click_rate", "purchase_rate", "dismiss_rate"])
      expect(values[name]).toBeCloseTo(Math.log(0.05) / 3 + 1, 5);
  });

  it("grow with people and with purchases per view", () => {
    const counts = (people: number, purchases: number): Record<string, number> =>
      valuesAt(now, { counts: [100, 0, 0, purchases, 0, people] });
    for (let n = 0; n < 20; n++) {
      expect(counts(n + 1, 0).people).toBeGreaterThan(counts(n, 0).people);
      expect(counts(9, n + 1).purchase_rate).toBeGreaterThan(counts(9, n).purchase_rate);
    }
  });

  it("treat a block and an interaction from after now as current", () => {
    const values = valuesAt(now - 30 * day, popularRow);
    expect(values.hot_1d).toBeCloseTo(Math.log1p(128) / 2, 5);
    expect(values.quiet_days).toBe(0);
  });
});
