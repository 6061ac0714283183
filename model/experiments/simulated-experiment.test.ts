import { describe, expect, it, vi } from "vitest";
import type { SimulationSize } from "../simulate/simulate.ts";
import {
  type SimulatedEffect,
  simulatedExperiment,
  simulatedTraffic,
} from "./testing/simulated-experiment.ts";

const isLong = process.env.VICINITY_LONG === "1";
/** The long form has the runs and effects of the promises; the short form has fewer runs and larger effects. */
const runs = isLong
  ? { same: 300, other: 100, looks: 25, lift: 0.1, lost: 0.1 }
  : { same: 40, other: 10, looks: 12, lift: 0.25, lost: 0.2 };
const usual: SimulationSize = isLong
  ? { products: 4000, users: 30_000, events: 300_000, days: 28, cities: 5 }
  : { products: 1000, users: 9000, events: 60_000, days: 28, cities: 2 };
/** The most active users have a thousand times as many events as the middle one. */
const unequal: SimulationSize = { ...usual, activitySpread: 2 };

// The A/A experiments of the long form take minutes.
vi.setConfig({ testTimeout: isLong ? 900_000 : 60_000 });

const worlds = [
  { name: "the usual activity", traffic: simulatedTraffic(usual, 1, runs.looks) },
  { name: "very unequal activity", traffic: simulatedTraffic(unequal, 2, runs.looks) },
];

describe.each(worlds)("experiments on simulated users of $name", ({ name, traffic }) => {
  const outcomes = (count: number, salt: string, effect: SimulatedEffect = {}) =>
    Array.from({ length: count }, (_, i) => simulatedExperiment(traffic, `${salt}-${i}`, effect));

  it("raise a false alarm in at most 5% of A/A experiments, though looked at again and again", () => {
    const same = outcomes(runs.same, "same");
    const alarms = same.filter(({ isAlarm }) => isAlarm).length;
    const faults = same.filter(({ isFault }) => isFault).length;
    console.info(`${name}: ${alarms} alarms and ${faults} faults in ${runs.same} A/A experiments`);
    expect(alarms).toBeLessThanOrEqual(0.05 * runs.same);
    expect(faults).toBe(0);
  });

  it("find a true lift of conversion in at least 90%", () => {
    const found = outcomes(runs.other, "lift", { lift: runs.lift }).filter(({ isBetter }) => isBetter).length;
    console.info(
      `${name}: ${found} of ${runs.other} lifts found, conversion ${traffic.conversion.toFixed(3)}`,
    );
    expect(found).toBeGreaterThanOrEqual(0.9 * runs.other);
  });

  it("report a fault if users of a variant get lost", () => {
    const reported = outcomes(runs.other, "lost", { lost: runs.lost }).filter(
      ({ isFault }) => isFault,
    ).length;
    console.info(`${name}: ${reported} of ${runs.other} faults reported`);
    expect(reported).toBeGreaterThanOrEqual(0.9 * runs.other);
  });
});
