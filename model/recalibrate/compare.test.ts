import { describe, expect, it } from "vitest";
import { emptyBatch, type FeatureShape } from "../features/batch.ts";
import { featureShape } from "../features/compute-features.ts";
import { examinationOf } from "../simulate/position-bias.ts";
import { Random } from "../train/random.ts";
import { type Comparison, compareLists, judgeList } from "./compare.ts";
import type { LoggedExample } from "./logged-examples.ts";

/** `npm run test:long` asks for the means of eight seeds. */
const isLong = process.env.VICINITY_LONG === "1";

/** Dense features that the comparison reads. */
const shape: FeatureShape = {
  ...featureShape,
  dense: ["people", "distance_log", "own_count", "person_choices"],
  ...{ history: 1, pair: ["a"], event: ["present"] },
};
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** A market whose users look at position k with the probability k ** -bias; models see utilities with errors. */
interface Market {
  bias: number;
  servingError: number;
  candidateError: number;
  lists?: number;
  seed?: number;
  /** Whether the gate knows the examination. */
  isExaminationKnown?: boolean;
}

/** Returns the comparison by lists that the serving model showed, and the share of outcomes that the candidate gains in truth. */
function compared({
  bias,
  servingError,
  candidateError,
  lists = 2500,
  seed = 1,
  isExaminationKnown = true,
}: Market): { comparison: Comparison; truth: number } {
  const random = new Random(seed);
  const candidates = 120;
  const truth = { serving: 0, candidate: 0 };
  const judged = Array.from({ length: lists }, (_, id) => {
    const level = 0.3 * random.normal();
    const utilities = Array.from({ length: candidates }, () => level + random.normal() - 2.5);
    const scoresWith = (error: number): number[] =>
      utilities.map((each) => sigmoid(each + error * random.normal()));
    const scores = { serving: scoresWith(servingError), candidate: scoresWith(candidateError) };
    const orders = { serving: [] as number[], candidate: [] as number[] };
    for (const model of ["serving", "candidate"] as const) {
      orders[model] = utilities.map((_, i) => i).sort((a, b) => scores[model][b] - scores[model][a]);
      for (let k = 1; k <= 10; k++)
        truth[model] += examinationOf(k, bias) * sigmoid(utilities[orders[model][k - 1]]);
    }
    const others = random.shuffle(orders.serving.slice(10)).slice(0, 10);
    const indices = [...orders.serving.slice(0, 10), ...others];
    const rows = indices.map((index, i) => {
      const position = i < 10 ? i + 1 : 0;
      const isLooked = position > 0 && random.next() < examinationOf(position, bias);
      const isChosen = isLooked && random.next() < sigmoid(utilities[index]);
      return {
        ...{ product: index, category: `c${index % 3}`, position, propensity: 1, rank: position, score: 0 },
        outcome: isChosen ? ("click" as const) : null,
      };
    });
    const example: LoggedExample = {
      ...{ id, time: id, pseudonym: `user ${id % 200}`, country: null, modelVersion: "v", variant: "" },
      ...{ weight: 1, candidates, rows, features: new Uint8Array() },
    };
    const at = (values: readonly number[]): Float32Array =>
      Float32Array.from(indices, (index) => values[index]);
    return judgeList(shape, {
      example,
      list: {
        batch: emptyBatch(shape, rows.length),
        engage: Float32Array.from(rows, ({ outcome }) => (outcome ? 1 : 0)),
        purchase: new Float32Array(rows.length),
        candidatesRepresented: new Float32Array(rows.length).fill(1),
        weight: 1,
        ...(isExaminationKnown
          ? {
              examined: Float32Array.from(rows, ({ position }) =>
                position > 0 ? examinationOf(position, bias) : 1,
              ),
            }
          : {}),
      },
      candidate: at(scores.candidate),
      serving: at(scores.serving),
    });
  });
  return { comparison: compareLists(judged, 60), truth: truth.candidate / truth.serving - 1 };
}

describe("compareLists", () => {
  it.runIf(isLong)(
    "estimates gains about right on average, where the order of what was shown does not",
    () => {
      for (const [candidateError, bias] of [
        [0.7, 0],
        [0.7, 1],
        [0.35, 1],
        [1.1, 1],
      ]) {
        const means = { truth: 0, regression: 0, shown: 0, raw: 0 };
        const seeds = 8;
        for (let seed = 11; seed < 11 + seeds; seed++) {
          const { comparison, truth } = compared({ bias, servingError: 0.7, candidateError, seed });
          means.truth += truth / seeds;
          means.regression += comparison.gain.mean / seeds;
          means.shown += (comparison.quality.candidate - comparison.quality.serving) / seeds;
          means.raw += (comparison.rawGain?.mean ?? 0) / seeds;
        }
        console.info(JSON.stringify({ candidateError, bias, ...means }));
        expect(Math.abs(means.regression - means.truth)).toBeLessThan(0.02);
      }
    },
  );

  it("sees no gain of an equal candidate, which the outcomes of shown products alone favor", () => {
    const gains: number[] = [];
    const raw: number[] = [];
    let significant = 0;
    for (const bias of [0, 1])
      for (let seed = 1; seed <= 3; seed++) {
        const { comparison } = compared({ bias, servingError: 0.7, candidateError: 0.7, seed });
        expect(comparison.method).toBe("regression");
        const [low, high] = comparison.gain.interval ?? [0, 0];
        if (low > 0 || high < 0) significant++;
        gains.push(comparison.gain.mean);
        if (bias === 0) raw.push(comparison.rawGain?.mean ?? 0);
      }
    // Of six 95% intervals, one may miss 0.
    expect(significant).toBeLessThanOrEqual(1);
    const mean = (values: number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;
    expect(Math.abs(mean(gains))).toBeLessThan(0.02);
    // Judged by what the serving model showed, the equal candidate gains.
    expect(mean(raw)).toBeGreaterThan(0.01);
  });

  it("sees the gain of a better candidate, which position bias hides from raw outcomes", () => {
    for (const bias of [0, 1]) {
      const { comparison, truth } = compared({ bias, servingError: 0.7, candidateError: 0.35 });
      expect(truth).toBeGreaterThan(0.1);
      expect(comparison.gain.interval?.[0]).toBeGreaterThan(0);
      expect(Math.abs(comparison.gain.mean - truth)).toBeLessThan(0.1);
      if (bias === 1) expect(comparison.rawGain?.interval?.[1]).toBeLessThan(0);
    }
  });

  it("sees the loss of a worse candidate, also where weighted outcomes of shown products show none", () => {
    for (const bias of [0, 1]) {
      const { comparison, truth } = compared({ bias, servingError: 0.7, candidateError: 1.1 });
      expect(truth).toBeLessThan(-0.1);
      expect(comparison.gain.interval?.[1]).toBeLessThan(0);
      expect(Math.abs(comparison.gain.mean - truth)).toBeLessThan(0.1);
    }
  });

  it("has more slices than those that the outcomes choose, and gains of each", () => {
    const { comparison } = compared({ bias: 1, servingError: 0.7, candidateError: 0.35 });
    expect(Object.keys(comparison.slices)).toEqual([
      "category c0",
      "category c1",
      "category c2",
      "new people",
    ]);
    for (const { mean } of Object.values(comparison.slices)) expect(mean).toBeGreaterThan(0);
  });

  it("falls back to raw outcomes where few would decide, and says so", () => {
    const market = { bias: 1, servingError: 0.7, candidateError: 0.35, lists: 25 };
    const { comparison } = compared(market);
    expect(comparison.method).toBe("raw");
    expect(comparison.gain).toEqual(comparison.rawGain);
    expect(comparison.effectiveOutcomes).toBeLessThan(30);
  });

  it("gives an identical candidate a gain of 0", () => {
    const { comparison } = compared({ bias: 1, servingError: 0, candidateError: 0, lists: 300 });
    expect(comparison.gain).toMatchObject({ mean: 0, interval: [0, 0] });
  });
});
