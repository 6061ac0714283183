import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { intervalFactor, metricDifference, minEffectiveUsers } from "./always-valid.ts";
import { metricOfUsers } from "./user-metric.ts";

/** Returns the conversion of users of whom `buyers` buy. */
const conversion = (buyers: number, users: number) =>
  metricOfUsers(Array.from({ length: users }, (_, i) => ({ y: i < buyers ? 1 : 0, x: 1 })));
const settings = { alpha: 0.05, expectedUsers: 10_000 };

describe("intervalFactor", () => {
  it("is wider than the factor of a test that looks once, and near three where the users are those expected", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e7 }), (users) => {
        expect(intervalFactor(users, settings)).toBeGreaterThan(1.96);
      }),
    );
    expect(intervalFactor(10_000, settings)).toBeCloseTo(3.035, 2);
  });

  it("loses little where the number of users is another than expected", () => {
    const best = intervalFactor(10_000, settings);
    for (const users of [3000, 30_000]) expect(intervalFactor(users, settings) / best).toBeLessThan(1.1);
    expect(intervalFactor(10_000, { ...settings, alpha: 0.01 })).toBeGreaterThan(best);
  });
});

describe("metricDifference", () => {
  it("has no interval while few users decide", () => {
    const [few, many] = [conversion(minEffectiveUsers - 1, 50_000), conversion(5000, 10_000)];
    expect(metricDifference(few, many, settings).interval).toBeNull();
    expect(metricDifference(many, many, settings).interval).not.toBeNull();
  });

  it("is symmetric, contains its estimate, and is narrower with more users", () => {
    const [a, b] = [conversion(300, 1000), conversion(250, 1000)];
    const [ab, ba] = [metricDifference(a, b, settings), metricDifference(b, a, settings)];
    expect(ab.estimate).toBeCloseTo(0.05, 9);
    expect(ab.interval?.low).toBeCloseTo(-(ba.interval?.high ?? 0), 9);
    const more = metricDifference(conversion(3000, 10_000), conversion(2500, 10_000), settings);
    expect((more.interval?.high ?? 1) - more.estimate).toBeLessThan((ab.interval?.high ?? 0) - ab.estimate);
    expect(more.interval?.low).toBeGreaterThan(0);
  });
});
