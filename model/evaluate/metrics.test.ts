import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bootstrapInterval,
  type ConfidenceInterval,
  gini,
  ndcgAt10,
  ndcgGain,
  rankingQuality,
} from "./metrics.ts";

const width = (ci: ConfidenceInterval | null): number => (ci ? ci[1] - ci[0] : Number.NaN);
const missed = Number.POSITIVE_INFINITY;

describe("rankingQuality", () => {
  it("equals the formulas computed by hand", () => {
    const found = rankingQuality([[1], [3], [11], [missed]], ["a", "a", "b", "b"]);
    expect(found).toMatchObject({ n: 4, acc1: 0.25, acc5: 0.5, acc10: 0.5 });
    expect(found.ndcg10).toBeCloseTo((1 + 1 / Math.log2(4)) / 4, 12);
    expect(found.mrr10).toBeCloseTo((1 + 1 / 3) / 4, 12);
  });

  it("averages the seeds of an event and counts the event once", () => {
    const found = rankingQuality([[1, missed], [2]], ["a", "b"]);
    expect(found.n).toBe(2);
    expect(found.acc1).toBe(0.25);
    expect(found.ndcg10).toBeCloseTo((0.5 + ndcgAt10(2)) / 2, 12);
  });

  it("returns zeros and no interval without events", () => {
    expect(rankingQuality([], [])).toMatchObject({ n: 0, acc1: 0, ndcg10: 0, ci: null });
  });

  it("keeps the order of the metrics, and an interval that holds the mean", () => {
    const rank = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(missed));
    fc.assert(
      fc.property(
        fc.array(fc.record({ rank, user: fc.integer({ min: 0, max: 20 }) }), { minLength: 1 }),
        (all) => {
          const found = rankingQuality(
            all.map((each) => [each.rank]),
            all.map((each) => `u${each.user}`),
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

describe("ndcgGain", () => {
  it("has a narrower interval than a single method, since it pairs events", () => {
    const userIds = Array.from({ length: 300 }, (_, i) => `u${i % 30}`);
    // Ranks differ much between users and little between methods.
    const worse = userIds.map((_, i) => [(i % 30) + 2]);
    const better = worse.map(([rank]) => [rank - 1]);
    const { ndcg10, ci } = ndcgGain(better, worse, userIds);
    const alone = rankingQuality(better, userIds);
    expect(ndcg10).toBeCloseTo(alone.ndcg10 - rankingQuality(worse, userIds).ndcg10, 12);
    expect(ci?.[0]).toBeGreaterThan(0);
    expect(width(ci)).toBeLessThan(width(alone.ci));
  });

  it("is zero between a method and itself", () => {
    const ranks = [[1], [4], [missed]];
    expect(ndcgGain(ranks, ranks, ["a", "b", "c"])).toEqual({ ndcg10: 0, ci: [0, 0] });
  });
});

describe("bootstrapInterval", () => {
  it("is wider if few users repeat the same values", () => {
    const values = Array.from({ length: 200 }, (_, i) => (Math.floor(i / 50) % 2 === 0 ? 1 : 0));
    const fewUsers = bootstrapInterval(
      values,
      values.map((_, i) => `u${Math.floor(i / 50)}`),
    );
    const manyUsers = bootstrapInterval(
      values,
      values.map((_, i) => `u${i}`),
    );
    expect(width(fewUsers)).toBeGreaterThan(2 * width(manyUsers));
  });

  it("is exact for a constant ratio", () => {
    const against = [1, 5, 2, 9];
    const values = against.map((each) => each / 2);
    expect(bootstrapInterval(values, ["a", "b", "c", "c"], against)).toEqual([0.5, 0.5]);
  });
});

describe("gini", () => {
  it("is 0 for equal counts and close to 1 for one product with all counts", () => {
    expect(gini([3, 3, 3, 3], 4)).toBeCloseTo(0, 12);
    expect(gini([12], 1000)).toBeCloseTo(0.999, 12);
    expect(gini([], 10)).toBe(0);
  });
});
