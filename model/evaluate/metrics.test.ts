import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gain, gini, type Interval, interval, ndcgAt10, quality } from "./metrics.ts";

const width = (ci: Interval | null): number => (ci ? ci[1] - ci[0] : Number.NaN);
const missed = Number.POSITIVE_INFINITY;

describe("quality", () => {
  it("is what the formulas say by hand", () => {
    const found = quality([[1], [3], [11], [missed]], ["a", "a", "b", "b"]);
    expect(found).toMatchObject({ n: 4, acc1: 0.25, acc5: 0.5, acc10: 0.5 });
    expect(found.ndcg10).toBeCloseTo((1 + 1 / Math.log2(4)) / 4, 12);
    expect(found.mrr10).toBeCloseTo((1 + 1 / 3) / 4, 12);
  });

  it("takes the mean over seeds for each event and counts the event once", () => {
    const found = quality([[1, missed], [2]], ["a", "b"]);
    expect(found.n).toBe(2);
    expect(found.acc1).toBe(0.25);
    expect(found.ndcg10).toBeCloseTo((0.5 + ndcgAt10(2)) / 2, 12);
  });

  it("has nothing to say of no events", () => {
    expect(quality([], [])).toMatchObject({ n: 0, acc1: 0, ndcg10: 0, ci: null });
  });

  it("orders its measures, and its interval holds the mean", () => {
    const rank = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(missed));
    fc.assert(
      fc.property(
        fc.array(fc.record({ rank, person: fc.integer({ min: 0, max: 20 }) }), { minLength: 1 }),
        (all) => {
          const found = quality(
            all.map((each) => [each.rank]),
            all.map((each) => `u${each.person}`),
          );
          expect(found.acc1).toBeLessThanOrEqual(found.acc5);
          expect(found.acc5).toBeLessThanOrEqual(found.acc10);
          expect(found.mrr10).toBeLessThanOrEqual(found.ndcg10 + 1e-12);
          expect(found.ndcg10).toBeLessThanOrEqual(found.acc10 + 1e-12);
          expect(found.ci?.[0]).toBeLessThanOrEqual(found.ndcg10 + 1e-9);
          expect(found.ci?.[1]).toBeGreaterThanOrEqual(found.ndcg10 - 1e-9);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("gain", () => {
  it("is surer than the difference of two intervals: it pairs events", () => {
    const people = Array.from({ length: 300 }, (_, i) => `u${i % 30}`);
    // People differ much in how well they are known, the methods little.
    const worse = people.map((_, i) => [(i % 30) + 2]);
    const better = worse.map(([rank]) => [rank - 1]);
    const { ndcg10, ci } = gain(better, worse, people);
    const alone = quality(better, people);
    expect(ndcg10).toBeCloseTo(alone.ndcg10 - quality(worse, people).ndcg10, 12);
    expect(ci?.[0]).toBeGreaterThan(0);
    expect(width(ci)).toBeLessThan(width(alone.ci));
  });

  it("is nothing against itself", () => {
    const ranks = [[1], [4], [missed]];
    expect(gain(ranks, ranks, ["a", "b", "c"])).toEqual({ ndcg10: 0, ci: [0, 0] });
  });
});

describe("interval", () => {
  it("is wider where events of few people say the same again and again", () => {
    const values = Array.from({ length: 200 }, (_, i) => (Math.floor(i / 50) % 2 === 0 ? 1 : 0));
    const fewUsers = interval(
      values,
      values.map((_, i) => `u${Math.floor(i / 50)}`),
    );
    const manyUsers = interval(
      values,
      values.map((_, i) => `u${i}`),
    );
    expect(width(fewUsers)).toBeGreaterThan(2 * width(manyUsers));
  });

  it("of a ratio is exact where one is a multiple of the other", () => {
    const against = [1, 5, 2, 9];
    const values = against.map((each) => each / 2);
    expect(interval(values, ["a", "b", "c", "c"], against)).toEqual([0.5, 0.5]);
  });
});

describe("gini", () => {
  it("is 0 where all are shown alike, and towards 1 where one alone is", () => {
    expect(gini([3, 3, 3, 3], 4)).toBeCloseTo(0, 12);
    expect(gini([12], 1000)).toBeCloseTo(0.999, 12);
    expect(gini([], 10)).toBe(0);
  });
});
