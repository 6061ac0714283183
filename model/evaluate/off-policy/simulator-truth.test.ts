import { describe, expect, it } from "vitest";
import { estimateOffPolicy, estimators, type OffPolicyEstimate } from "./estimate.ts";
import { ListSums, outcomeMetrics } from "./list-sums.ts";
import { ScoreBins } from "./score-bins.ts";
import { type OffPolicyWorld, SimulatedLog, type SimulatedTruth } from "./testing/simulated-log.ts";

/** `npm run test:long` asks for more than 100 logs; the usual run looks at some. */
const isLong = process.env.VICINITY_LONG === "1";

type Market = Omit<OffPolicyWorld, "seed" | "target"> & { lists: number };
const serving = { weights: { taste: 0.6, price: 0.6, distance: 0.8, hour: 0.5 }, error: 0.4 };
/** Nearly all candidates may be shown. */
const explored: Market = {
  ...{ serving, candidates: 17, bias: 0.7, lists: 3000 },
  exploration: { rate: 0.5, depth: 5 },
};
/** Half of the candidates may be shown, and users seldom look far down. */
const steep: Market = {
  ...{ serving, candidates: 40, bias: 1, lists: 5000 },
  exploration: { rate: 0.3, depth: 10 },
};
const unexplored: Market = { ...explored, exploration: { rate: 0.02, depth: 5 } };

const targets = {
  better: { model: { weights: { ...serving.weights, quality: 0.5 }, error: 0.4 } },
  best: { model: { weights: { taste: 1, quality: 1, price: 1, distance: 1, hour: 1 }, error: 0.1 } },
  worse: { model: { weights: { ...serving.weights, taste: 0.2 }, error: 0.5 } },
  popularity: { model: { weights: { quality: 1, hour: 1 }, error: 0.3 } },
  noise: { model: { weights: {}, error: 1 } },
  reverse: { model: { weights: { taste: -0.6, price: -0.6, distance: -0.8, hour: -0.5 }, error: 0.4 } },
  diverse: { rules: { diversity: 0.2 } },
  veryDiverse: { rules: { diversity: 0.5 } },
  boosted: { rules: { boost: { coffee: 2, lunch: 1.5, bakery: 0.5 } } },
  capped: { rules: { perCategory: 2 } },
  shorter: { rules: { limit: 5 } },
} satisfies Record<string, OffPolicyWorld["target"]>;
type Case = [Market, keyof typeof targets];

/** Logs with enough overlap. */
const telling: Case[] = [
  ...(["better", "best", "worse", "diverse", "veryDiverse"] as const).map((name): Case => [explored, name]),
  ...(["boosted", "capped", "shorter"] as const).map((name): Case => [explored, name]),
  ...(["diverse", "boosted", "capped", "shorter"] as const).map((name): Case => [steep, name]),
  ...(["diverse", "shorter"] as const).map((name): Case => [unexplored, name]),
];
/** Logs whose lists seldom or never show what the policy shows. */
const silent: Case[] = [
  ...(["noise", "reverse"] as const).map((name): Case => [explored, name]),
  ...(["worse", "popularity", "noise", "reverse"] as const).map((name): Case => [steep, name]),
  ...(["popularity", "noise", "reverse"] as const).map((name): Case => [unexplored, name]),
];

/** Returns the estimate from a log, or why it does not tell. */
function estimateFrom(log: SimulatedLog, lists: number, seed: number) {
  const shown = [...log.logged(lists, seed)];
  const sums = new ListSums(ScoreBins.of(shown.slice(0, 1000).map(({ list }) => list)));
  for (const { list, target } of shown) sums.add(list, target);
  return estimateOffPolicy(sums);
}

/** Counts, for each estimate, the intervals that contain the truth. */
function countInside(
  counts: Map<string, { inside: number; cases: number }>,
  { values }: OffPolicyEstimate,
  truth: SimulatedTruth,
): void {
  for (const metric of outcomeMetrics)
    for (const estimator of estimators) {
      const found = values[metric]?.[estimator];
      if (!found) continue;
      const { current, target } = truth;
      const difference = target[metric] - current[metric];
      const expected = { current: current[metric], target: target[metric], difference };
      for (const name of ["current", "target", "difference"] as const) {
        const key = `${metric} ${estimator} ${name}`;
        const { inside, cases } = counts.get(key) ?? { inside: 0, cases: 0 };
        const { low, high } = found[name];
        const isInside = low <= expected[name] && expected[name] <= high;
        counts.set(key, { inside: inside + (isInside ? 1 : 0), cases: cases + 1 });
      }
    }
}

describe("estimateOffPolicy against the simulator's truth", () => {
  it(
    "has the truth in at least 90% of the intervals, with position bias and exploration",
    () => {
      const counts = new Map<string, { inside: number; cases: number }>();
      const cases = isLong ? telling : telling.filter((_, i) => [0, 5].includes(i));
      for (const [i, [{ lists, ...market }, name]] of cases.entries())
        for (let seed = 1; seed <= (isLong ? 4 : 1); seed++) {
          const log = new SimulatedLog({ ...market, target: targets[name], seed: 10 * i + seed });
          const truth = log.truth(isLong ? 12_000 : 6000);
          for (let number = 0; number < 2; number++) {
            const found = estimateFrom(log, lists, 1000 * seed + number);
            expect(found, `${name} of ${market.candidates}`).not.toHaveProperty("refusals");
            if (!("refusals" in found)) countInside(counts, found, truth);
          }
        }
      expect(counts.get("clicks snips difference")?.cases).toBe(isLong ? 112 : 4);
      expect(counts.get("purchases snips difference")?.cases).toBeGreaterThan(isLong ? 90 : 0);
      for (const [name, { inside, cases: all }] of counts) {
        if (isLong) console.info(`${name}: ${inside} of ${all}`);
        // Of four logs, one outside happens by chance.
        expect(inside, name).toBeGreaterThanOrEqual(isLong ? Math.ceil(0.9 * all) : all - 1);
      }
    },
    isLong ? 800_000 : 60_000,
  );

  it(
    "refuses where the log seldom or never shows what the policy shows",
    () => {
      const cases = isLong ? silent : silent.filter((_, i) => [0, 6].includes(i));
      for (const [i, [{ lists, ...market }, name]] of cases.entries()) {
        const log = new SimulatedLog({ ...market, target: targets[name], seed: 200 + i });
        const truth = log.truth(2000);
        const found = estimateFrom(log, lists, 5);
        const refusals = "refusals" in found ? found.refusals : [];
        expect(refusals, name).not.toEqual([]);
        for (const each of refusals) expect(each).toContain("overlap: ");
        if (market.exploration.rate > 0.02) expect(truth.outside).toBeGreaterThan(0.1);
      }
    },
    isLong ? 300_000 : 60_000,
  );
});
