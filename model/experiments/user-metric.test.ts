import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../train/random.ts";
import { effectiveUsers, metricOfUsers, valueOfMetric, varianceOfMetric } from "./user-metric.ts";

const users = fc.array(
  fc.record({ y: fc.integer({ min: 0, max: 50 }), x: fc.integer({ min: 1, max: 50 }) }),
  {
    minLength: 2,
    maxLength: 50,
  },
);

describe("metricOfUsers", () => {
  it("is a mean with its usual variance where every denominator is 1", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 40 }), (values) => {
        const sample = metricOfUsers(values.map((y) => ({ y, x: 1 })));
        const mean = values.reduce((sum, y) => sum + y, 0) / values.length;
        const variance = values.reduce((sum, y) => sum + (y - mean) ** 2, 0) / (values.length - 1);
        expect(valueOfMetric(sample)).toBeCloseTo(mean, 9);
        expect(varianceOfMetric(sample)).toBeCloseTo(variance / values.length, 9);
      }),
    );
  });

  it("has at most as many effective users as users, and does not depend on their order or on the unit", () => {
    fc.assert(
      fc.property(users, fc.integer({ min: 1, max: 1000 }), (list, unit) => {
        const sample = metricOfUsers(list);
        expect(effectiveUsers(sample)).toBeLessThanOrEqual(list.length * (1 + 1e-9));
        const other = metricOfUsers([...list].reverse().map(({ y, x }) => ({ y: y * unit, x })));
        expect(effectiveUsers(other)).toBeCloseTo(effectiveUsers(sample), 5);
        expect(valueOfMetric(other)).toBeCloseTo(unit * valueOfMetric(sample), 6);
      }),
    );
  });

  it("counts rare buyers, not all users", () => {
    const sample = metricOfUsers(Array.from({ length: 10_000 }, (_, i) => ({ y: i < 30 ? 1 : 0, x: 1 })));
    expect(effectiveUsers(sample)).toBeGreaterThan(29);
    expect(effectiveUsers(sample)).toBeLessThan(31);
  });

  it("estimates the variance of a ratio of sums over users of unequal activity", () => {
    const random = new Random(3);
    const draw = () =>
      metricOfUsers(
        Array.from({ length: 400 }, () => {
          const rate = random.next();
          const x = 1 + Math.floor(Math.exp(1.5 * random.normal()));
          let y = 0;
          for (let i = 0; i < x; i++) if (random.next() < rate) y++;
          return { y, x };
        }),
      );
    const samples = Array.from({ length: 400 }, draw);
    const values = samples.map(valueOfMetric);
    const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
    const spread = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (values.length - 1);
    const estimated = samples.reduce((sum, each) => sum + varianceOfMetric(each), 0) / samples.length;
    expect(estimated / spread).toBeGreaterThan(0.75);
    expect(estimated / spread).toBeLessThan(1.3);
  });
});
