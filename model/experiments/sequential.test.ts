import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ArmTotals } from "../../shared/experiments/arm-totals.ts";
import { Random } from "../train/random.ts";
import { differenceOf, noTotals, rateOf, varianceOf, withUser } from "./sequential.ts";

const settings = { alpha: 0.05, effect: 0.03 };
/** People that both arms have before anybody looks: the test leans on the normal limit. */
const burnIn = 50;

interface Person {
  rate: number;
  n: number;
  s: number;
}

/** A rate around `mean` that differs between people (beta distribution by order statistics of its gamma parts). */
function personalRate(random: Random, mean: number, spread: number): number {
  if (spread === 0) return mean;
  return Math.min(0.98, Math.max(0.001, mean + spread * random.normal()));
}

/**
 * One experiment: people come (a new one with probability `fresh`, else one who was there), see one list each time, and the
 * test is looked at after every exposure. Answers after how many exposures it first excluded `null difference`; null never.
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
  const people: [Person[], Person[]] = [[], []];
  const totals: [ArmTotals, ArmTotals] = [noTotals, noTotals];
  for (let i = 0; i < exposures; i++) {
    const arm = random.below(2);
    const known = people[arm];
    const person =
      known.length === 0 || random.next() < fresh
        ? known[known.push({ rate: personalRate(random, rates[arm], spread), n: 0, s: 0 }) - 1]
        : known[random.below(known.length)];
    const before = { n: person.n, s: person.s };
    person.n++;
    if (random.next() < person.rate) person.s++;
    totals[arm] = withUser(totals[arm], person, before);
    if (Math.min(totals[0].people, totals[1].people) < burnIn) continue;
    const { low, high } = differenceOf(totals[0], totals[1], settings);
    if (low > truth || high < truth) return i + 1;
  }
  return null;
}

const share = (runs: number, seed: number, run: (random: Random) => boolean): number => {
  let hits = 0;
  for (let i = 0; i < runs; i++) if (run(new Random(seed + 7919 * i))) hits++;
  return hits / runs;
};

describe("the always-valid test", () => {
  it("is wrong in fewer than alpha of the experiments where nothing differs, though looked at after each exposure", () => {
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

  it("holds a true difference as well as none", () => {
    const wrong = share(
      300,
      5,
      (random) =>
        firstExclusion(random, [0.25, 0.2], { spread: 0, fresh: 0.3, exposures: 4000, truth: 0.05 }) !== null,
    );
    expect(wrong).toBeLessThanOrEqual(settings.alpha);
  });

  it("finds what differs: half of nearly always soon, and sooner the more it differs", () => {
    const found = (rates: [number, number], exposures: number) =>
      share(
        100,
        29,
        (random) => firstExclusion(random, rates, { spread: 0.05, fresh: 0.3, exposures }) !== null,
      );
    expect(found([0.1, 0.2], 4000)).toBeGreaterThan(0.95);
    expect(found([0.2, 0.25], 12_000)).toBeGreaterThan(0.8);
  });

  it("would be wrong far more often if the exposures of a person counted as independent", () => {
    const naive = (totals: ArmTotals): ArmTotals => ({
      ...totals,
      people: totals.exposures,
      exposuresSquared: totals.exposures,
      products: totals.successes,
      successesSquared: totals.successes,
    });
    const people = (random: Random): ArmTotals => {
      let totals = noTotals;
      for (let i = 0; i < 100; i++) {
        const rate = personalRate(random, 0.5, 0.3);
        let s = 0;
        for (let k = 0; k < 200; k++) if (random.next() < rate) s++;
        totals = withUser(totals, { n: 200, s });
      }
      return totals;
    };
    const excludes = (of: (totals: ArmTotals) => ArmTotals) =>
      share(200, 41, (random) => {
        const { low, high } = differenceOf(of(people(random)), of(people(random)), settings);
        return low > 0 || high < 0;
      });
    expect(excludes((totals) => totals)).toBeLessThanOrEqual(settings.alpha);
    expect(excludes(naive)).toBeGreaterThan(0.3);
  });

  it("has totals that do not depend on the order in which people's counts grew", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 50 }), (outcomes) => {
        let totals = noTotals;
        let before = { n: 0, s: 0 };
        for (const success of outcomes) {
          const now = { n: before.n + 1, s: before.s + (success ? 1 : 0) };
          totals = withUser(totals, now, before);
          before = now;
        }
        expect(totals).toEqual(withUser(noTotals, before));
        expect(rateOf(totals)).toBeCloseTo(before.s / before.n, 12);
      }),
    );
  });

  it("has an interval around its estimate that narrows with more people, and is mirrored by exchanging the arms", () => {
    const arm = fc
      .array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.double({ min: 0, max: 1, noNaN: true })), {
        minLength: 2,
        maxLength: 30,
      })
      .map((people) =>
        people.reduce((totals, [n, part]) => withUser(totals, { n, s: Math.round(n * part) }), noTotals),
      );
    const tenfold = (totals: ArmTotals): ArmTotals => ({
      people: totals.people * 10,
      exposures: totals.exposures * 10,
      successes: totals.successes * 10,
      exposuresSquared: totals.exposuresSquared * 10,
      products: totals.products * 10,
      successesSquared: totals.successesSquared * 10,
    });
    fc.assert(
      fc.property(arm, arm, (a, b) => {
        const { estimate, low, high } = differenceOf(a, b, settings);
        expect(low).toBeLessThanOrEqual(estimate);
        expect(high).toBeGreaterThanOrEqual(estimate);
        const mirrored = differenceOf(b, a, settings);
        expect(mirrored.low).toBeCloseTo(-high, 12);
        const more = differenceOf(tenfold(a), tenfold(b), settings);
        expect(more.high - more.low).toBeLessThanOrEqual(high - low + 1e-12);
        expect(varianceOf(a)).toBeGreaterThan(0);
      }),
    );
  });

  it("knows nothing before each arm has two people", () => {
    const one = withUser(noTotals, { n: 5, s: 5 });
    expect(differenceOf(one, noTotals, settings)).toEqual({ estimate: 1, low: -1, high: 1 });
  });
});
