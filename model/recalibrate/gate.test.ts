import { describe, expect, it } from "vitest";
import { Random } from "../train/random.ts";
import type { QualityDifference } from "./compare.ts";
import { evaluateGate, type GateEvidence, gateConfiguration } from "./gate.ts";

const difference = (mean: number, low: number, high: number): QualityDifference => ({
  lists: 500,
  mean,
  interval: [low, high],
});
const good: GateEvidence = {
  data: {
    examples: 5000,
    engaged: 2000,
    people: 400,
    damaged: 0,
    largestShare: 0.01,
    rate: { training: 0.1, newest: 0.12 },
  },
  comparison: {
    lists: 500,
    people: 200,
    quality: { candidate: 0.6, serving: 0.57, popularity: 0.4, distance: 0.42, own: 0.5, chance: 0.38 },
    gain: difference(0.03, 0.01, 0.05),
    overChance: difference(0.19, 0.17, 0.21),
    candidateOverChance: difference(0.22, 0.2, 0.24),
    slices: { "new people": difference(-0.005, -0.02, 0.01), "country NO": difference(0.02, 0.01, 0.03) },
  },
  calibration: {
    engage: { error: 0.01, ratio: 1.1, logLoss: 0.3, baseLogLoss: 0.33, positives: 2000 },
    purchase: null,
  },
  latency: { candidateMs: 3, servingMs: 3 },
  golden: null,
  bytes: 60_000,
  finiteWeights: true,
};
const configuration = gateConfiguration.parse({});

describe("evaluateGate", () => {
  it("passes a candidate that is significantly better and worse in no slice", () => {
    expect(evaluateGate(good, configuration)).toMatchObject({ passed: true, reasons: [] });
  });

  it("passes a candidate that beats chance where the serving model no longer does", () => {
    const overChance = difference(0.01, -0.01, 0.03);
    const comparison = { ...good.comparison, overChance, candidateOverChance: difference(0.05, 0.02, 0.08) };
    expect(evaluateGate({ ...good, comparison }, configuration).reasons).toEqual([]);
  });

  it.each<[string, Partial<GateEvidence>]>([
    ["gain", { comparison: { ...good.comparison, gain: difference(0.03, -0.001, 0.06) } }],
    ["gain", { comparison: { ...good.comparison, gain: { lists: 0, mean: 0, interval: null } } }],
    [
      "slices",
      { comparison: { ...good.comparison, slices: { "country PE": difference(-0.05, -0.08, -0.02) } } },
    ],
    [
      "better than own",
      { comparison: { ...good.comparison, quality: { ...good.comparison.quality, own: 0.7 } } },
    ],
    [
      "meaning",
      {
        comparison: {
          ...good.comparison,
          overChance: difference(0.01, -0.01, 0.02),
          candidateOverChance: difference(0.01, -0.01, 0.03),
        },
      },
    ],
    ["meaning", { comparison: { ...good.comparison, overChance: difference(-0.02, -0.03, -0.01) } }],
    ["newest outcomes", { comparison: { ...good.comparison, lists: 12 } }],
    ["calibration of engage", { calibration: { engage: { error: 0.2 }, purchase: null } }],
    // At a rate of 1%, a head that expects three times as much has a small error.
    [
      "calibration of purchase",
      {
        calibration: {
          engage: null,
          purchase: { error: 0.02, ratio: 3, logLoss: 0.05, baseLogLoss: 0.056, positives: 400 },
        },
      },
    ],
    [
      "calibration of purchase",
      {
        calibration: {
          engage: null,
          purchase: { error: 0.002, ratio: 1, logLoss: 0.058, baseLogLoss: 0.056, positives: 400 },
        },
      },
    ],
    ["latency", { latency: { candidateMs: 30, servingMs: 3 } }],
    ["golden vectors", { golden: "they differ" }],
    ["weights", { finiteWeights: false }],
    ["size", { bytes: 5_000_000 }],
    ["whole lines", { data: { ...good.data, damaged: 900 } }],
    ["one person", { data: { ...good.data, largestShare: 0.6 } }],
    ["engagement", { data: { ...good.data, rate: { training: 0.1, newest: 0.9 } } }],
    ["people", { data: { ...good.data, people: 3 } }],
  ])("refuses a candidate that fails only `%s`, and gives that reason", (name, change) => {
    const { passed, reasons } = evaluateGate({ ...good, ...change }, configuration);
    expect(passed).toBe(false);
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatch(new RegExp(`^${name}: .+`));
  });

  it("lets few outcomes differ by chance, and reads evaluations of the release before", () => {
    const few = { error: 0.001, ratio: 2, logLoss: 0.05, baseLogLoss: 0.056, positives: 10 };
    for (const purchase of [few, { error: 0.01 }])
      expect(evaluateGate({ ...good, calibration: { engage: null, purchase } }, configuration).passed).toBe(
        true,
      );
  });

  it("passes every candidate if forced, and still reports the failed checks", () => {
    const forced = evaluateGate({ ...good, golden: "they differ" }, { ...configuration, forced: true });
    expect(forced).toMatchObject({ passed: true, forced: true, reasons: ["golden vectors: they differ"] });
  });

  it("refuses few equal candidates of many slices, and those with a slice that is surely worse", () => {
    const random = new Random(7);
    const error = 0.02;
    const slicesAround = (mean: number): Record<string, QualityDifference> =>
      Object.fromEntries(
        Array.from({ length: 50 }, (_, i) => {
          const found = (i === 0 ? mean : 0) + error * random.normal();
          return [`category ${i}`, difference(found, found - 1.96 * error, found + 1.96 * error)];
        }),
      );
    const refused = (mean: number): number => {
      let count = 0;
      for (let n = 0; n < 400; n++) {
        const comparison = { ...good.comparison, slices: slicesAround(mean) };
        if (!evaluateGate({ ...good, comparison }, configuration).passed) count++;
      }
      return count / 400;
    };
    expect(refused(0)).toBeLessThan(0.08);
    expect(refused(-0.1)).toBeGreaterThan(0.9);
  });
});
