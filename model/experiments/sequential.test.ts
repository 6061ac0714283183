import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ArmTotals } from "../../shared/experiments/arm-totals.ts";
import { Random } from "../train/random.ts";
import { emptyArmTotals, rateDifference, rateOf, updateArmTotals, varianceOf } from "./sequential.ts";

const settings = { alpha: 0.05, effect: 0.03 };
/** Users per arm before the first look: the test relies on the normal limit. */
const burnIn = 50;

interface User {
  rate: number;
  n: number;
  s: number;
}

/** Returns a user's success rate: normally distributed around `mean`, clipped to [0.001, 0.98]. */
function userRate(random: Random, mean: number, spread: number): number {
  if (spread === 0) return mean;
  return Math.min(0.98, Math.max(0.001, mean + spread * random.normal()));
}

/**
 * Simulates one experiment: each exposure goes to a new user with probability `fresh`, else to an earlier one, and the
 * test is evaluated after each exposure. Returns the number of exposures at which the interval first excludes `truth`,
 * or null.
 */
function firstExclusion(
  random: Random,
  rates: readonly [number, number],
  {
    spread,
    fresh,
    exposures,
    truth = 0,
  }: { spread: number; fresh: number; exposures: number; truth?: number },
): number | null {
  const users: [User[], User[]] = [[], []];
  const totals: [ArmTotals, ArmTotals] = [emptyArmTotals, emptyArmTotals];
  for (let i = 0; i < exposures; i++) {
    const arm = random.below(2);
    const earlier = users[arm];
    const user =
      earlier.length === 0 || random.next() < fresh
        ? earlier[earlier.push({ rate: userRate(random, rates[arm], spread), n: 0, s: 0 }) - 1]
        : earlier[random.below(earlier.length)];
    const before = { n: user.n, s: user.s };
    user.n++;
    if (random.next() < user.rate) user.s++;
    totals[arm] = updateArmTotals(totals[arm], user, before);
    if (Math.min(totals[0].people, totals[1].people) < burnIn) continue;
    const { low, high } = rateDifference(totals[0], totals[1], settings);
    if (low > truth || high < truth) return i + 1;
  }
  return null;
}

const share = (runs: number, seed: number, run: (random: Random) => boolean): number => {
  let hits = 0;
  for (let i = 0; i < runs; i++) if (run(new Random(seed + 7919 * i))) hits++;
  return hits / runs;
};

describe("rateDifference", () => {
  it("excludes 0 in at most alpha of the A/A experiments, though evaluated after each exposure", () => {
    for (const [rate, spread, fresh] of [
      [0.1, 0, 1],
      [0.3, 0.15, 0.1],
      [0.03, 0, 0.3],
      [0.5, 0.3, 0.02],
    ] as const) {
      const wrong = share(
        300,
        17,
        (random) => firstExclusion(random, [rate, rate], { spread, fresh, exposures: 4000 }) !== null,
      );
      expect(wrong, `rate ${rate}`).toBeLessThanOrEqual(settings.alpha);
    }
  });

  it("excludes a true difference other than 0 in at most alpha of the experiments", () => {
    const wrong = share(
      300,
      5,
      (random) =>
        firstExclusion(random, [0.25, 0.2], { spread: 0, fresh: 0.3, exposures: 4000, truth: 0.05 }) !== null,
    );
    expect(wrong).toBeLessThanOrEqual(settings.alpha);
  });

  it("detects a difference, and a larger difference with fewer exposures", () => {
    const found = (rates: [number, number], exposures: number) =>
      share(
        100,
        29,
        (random) => firstExclusion(random, rates, { spread: 0.05, fresh: 0.3, exposures }) !== null,
      );
    expect(found([0.1, 0.2], 4000)).toBeGreaterThan(0.95);
    expect(found([0.2, 0.25], 12_000)).toBeGreaterThan(0.8);
  });

  it("would exclude the truth far more often if the exposures of one user counted as independent", () => {
    const naive = (totals: ArmTotals): ArmTotals => ({
      ...totals,
      people: totals.exposures,
      exposuresSquared: totals.exposures,
      exposuresTimesSuccesses: totals.successes,
      successesSquared: totals.successes,
    });
    const armTotals = (random: Random): ArmTotals => {
      let totals = emptyArmTotals;
      for (let i = 0; i < 100; i++) {
        const rate = userRate(random, 0.5, 0.3);
        let s = 0;
        for (let k = 0; k < 200; k++) if (random.next() < rate) s++;
        totals = updateArmTotals(totals, { n: 200, s });
      }
      return totals;
    };
    const excludes = (change: (totals: ArmTotals) => ArmTotals) =>
      share(200, 41, (random) => {
        const { low, high } = rateDifference(change(armTotals(random)), change(armTotals(random)), settings);
        return low > 0 || high < 0;
      });
    expect(excludes((totals) => totals)).toBeLessThanOrEqual(settings.alpha);
    expect(excludes(naive)).toBeGreaterThan(0.3);
  });

  it("uses totals that do not depend on the order in which the counts of users grew", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 50 }), (outcomes) => {
        let totals = emptyArmTotals;
        let before = { n: 0, s: 0 };
        for (const success of outcomes) {
          const now = { n: before.n + 1, s: before.s + (success ? 1 : 0) };
          totals = updateArmTotals(totals, now, before);
          before = now;
        }
        expect(totals).toEqual(updateArmTotals(emptyArmTotals, before));
        expect(rateOf(totals)).toBeCloseTo(before.s / before.n, 12);
      }),
    );
  });

  it("returns an interval around its estimate that narrows with more users and mirrors when the arms swap", () => {
    const arm = fc
      .array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.double({ min: 0, max: 1, noNaN: true })), {
        minLength: 2,
        maxLength: 30,
      })
      .map((users) =>
        users.reduce(
          (totals, [n, part]) => updateArmTotals(totals, { n, s: Math.round(n * part) }),
          emptyArmTotals,
        ),
      );
    const tenfold = (totals: ArmTotals): ArmTotals => ({
      people: totals.people * 10,
      exposures: totals.exposures * 10,
      successes: totals.successes * 10,
      exposuresSquared: totals.exposuresSquared * 10,
      exposuresTimesSuccesses: totals.exposuresTimesSuccesses * 10,
      successesSquared: totals.successesSquared * 10,
    });
    fc.assert(
      fc.property(arm, arm, (a, b) => {
        const { estimate, low, high } = rateDifference(a, b, settings);
        expect(low).toBeLessThanOrEqual(estimate);
        expect(high).toBeGreaterThanOrEqual(estimate);
        const mirrored = rateDifference(b, a, settings);
        expect(mirrored.low).toBeCloseTo(-high, 12);
        const more = rateDifference(tenfold(a), tenfold(b), settings);
        expect(more.high - more.low).toBeLessThanOrEqual(high - low + 1e-12);
        expect(varianceOf(a)).toBeGreaterThan(0);
      }),
    );
  });

  it("returns the interval from -1 to 1 until each arm has two users", () => {
    const one = updateArmTotals(emptyArmTotals, { n: 5, s: 5 });
    expect(rateDifference(one, emptyArmTotals, settings)).toEqual({ estimate: 1, low: -1, high: 1 });
  });
});
