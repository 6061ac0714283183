import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rangeStarts } from "../examination/position-ranges.ts";
import { featureShape } from "../features/compute-features.ts";
import type { Parameters } from "../network/parameters.ts";
import { readParameters } from "../onnx/read-parameters.ts";
import { examinationOf } from "../simulate/position-bias.ts";
import type { Comparison } from "./compare.ts";
import type { LoggedExample } from "./logged-examples.ts";
import { BiasedMarket, type Learning, learnByNight, learnFrom, readingOf } from "./testing/biased-market.ts";

/**
 * `npm run test:long -- model/recalibrate/recovery.node.test.ts` simulates fourteen days, the usual run the first four.
 */
const isLong = process.env.VICINITY_LONG === "1";
const { days, listsPerDay } = isLong ? { days: 14, listsPerDay: 300 } : { days: 4, listsPerDay: 160 };
/** Lists by which the value of a model is computed. */
const valueLists = isLong ? 600 : 150;
const market = { bias: 1, seed: 3, drawnShare: 0.02, temperature: 1 };

const file = readFileSync(join(import.meta.dirname, "../artifacts/bundled.onnx"));
const bundled = readParameters(featureShape, new Uint8Array(file));
if (bundled === null) throw new Error("the bundled model does not have the network of this version");
const before = bundled;

type GateRule = (comparison: Comparison) => boolean;
/** The gate, and the one that judged by clicks as they came on what was shown. */
const byRegression: GateRule = ({ gain }) => (gain.interval?.[0] ?? 0) > 0;
const byRawClicks: GateRule = ({ rawGain }) => (rawGain?.interval?.[0] ?? 0) > 0;

interface Recovery {
  /** Expected clicks as a share of those of the best order: before the first night, then after each. */
  shares: number[];
  comparisons: Comparison[];
  log: LoggedExample[];
}

/** Recalibrates after each day, in a world of its own. */
async function recover(learning: Learning, passes: GateRule, nights = days): Promise<Recovery> {
  const world = new BiasedMarket(before, market);
  let serving: Parameters = before;
  let seen = 0;
  const log: LoggedExample[] = [];
  const shares = [world.shareOfBest(serving, valueLists)];
  const comparisons: Comparison[] = [];
  for (let night = 0; night < nights; night++) {
    log.push(...world.show(listsPerDay, serving));
    const { candidate, comparison, learned } = await learnByNight(serving, log, seen, learning);
    comparisons.push(comparison);
    if (passes(comparison)) [serving, seen] = [candidate, learned];
    shares.push(world.shareOfBest(serving, valueLists));
  }
  return { shares, comparisons, log };
}

const last = ({ shares }: Recovery): number => shares[shares.length - 1];
const inFull = (shares: readonly number[]): string => shares.map((each) => each.toFixed(3)).join(" ");

describe("recalibration with position bias", () => {
  it(
    "recovers from a change of behavior, through a gate that raw clicks would keep shut",
    async () => {
      const corrected = await recover("corrected", byRegression);
      expect(last(corrected)).toBeGreaterThan(corrected.shares[0] + 0.1);
      expect(corrected.comparisons.filter(byRegression).length).toBeGreaterThan(0);
      // By clicks as they came, no night would have replaced the model: each of them favors the order that was shown.
      expect(corrected.comparisons.filter(byRawClicks)).toEqual([]);
      if (!isLong) return;

      const uncorrected = await recover("not corrected", byRegression);
      const stuck = await recover("not corrected", byRawClicks, 5);
      const random = new BiasedMarket(before, market);
      const examined = Float64Array.from(rangeStarts, (position) => examinationOf(position, market.bias));
      const reference = random.shareOfBest(
        await learnFrom(before, random.show(days * listsPerDay, "at random"), "corrected", {
          unshownWeight: 0,
          examination: { examined },
        }),
        valueLists,
      );
      const { examination } = readingOf(corrected.log);
      console.info(`corrected: ${inFull(corrected.shares)}`);
      console.info(`loss not corrected: ${inFull(uncorrected.shares)}`);
      console.info(`loss not corrected, gate by raw clicks: ${inFull(stuck.shares)}`);
      console.info(`learned from lists at random, with the true examination: ${reference.toFixed(3)}`);
      console.info(`examination: ${inFull([...(examination?.examined ?? [])].slice(0, 10))}`);
      expect(last(corrected)).toBeGreaterThan(0.97 * reference);
      expect(last(uncorrected)).toBeLessThan(last(corrected));
      expect(last(stuck)).toBe(stuck.shares[0]);
    },
    isLong ? 1_200_000 : 120_000,
  );
});
