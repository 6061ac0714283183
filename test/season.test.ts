import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Parameters } from "../model/network/parameters.ts";
import { bundledWeights } from "../scripts/models/bundled-model.ts";
import { plotRecalibration } from "./season/plot-recalibration.ts";
import { type DayResult, type NightResult, SimulatedApplication } from "./season/simulated-application.ts";
import { trainReferenceModel } from "./season/train-reference-model.ts";
import { drawVisits, regularBehavior, salesBehavior, UserPopulation } from "./season/user-population.ts";
import { TestStack } from "./support/test-stack.ts";

/**
 * The long form (`npm run test:long`) simulates fourteen days, two of them before the sales season, and writes the figure to
 * `docs`. The short form simulates a day of the season, a recalibration, and its rollout on the next day. Then the same
 * visits see the lists of both models: two applications would differ by more than the models do, since users of one buy
 * other products.
 */
const long = process.env.VICINITY_LONG === "1";
const { size, visitsPerDay, regularDays } = long
  ? {
      size: { products: 500, users: 120, events: 5000, days: 56, cities: 1 },
      visitsPerDay: new Array<number>(14).fill(110),
      regularDays: 2,
    }
  : {
      size: { products: 400, users: 100, events: 3000, days: 56, cities: 1 },
      visitsPerDay: [200, 80],
      regularDays: 0,
    };
/** Number of visits with which the recalibrated model and another one are compared. */
const comparisonVisits = 300;
const docs = join(import.meta.dirname, "../docs");

/**
 * A simulated day takes less than a minute. So the time settings are seconds instead of hours, and the minimum numbers of
 * people and lists are smaller.
 */
const stack = new TestStack({
  "user-session": { CLICK_WINDOW_SECONDS: "2" },
  recommendation: {
    ROLLOUT: JSON.stringify({
      shadow: { share: 1, minRequests: 5, minSeconds: 0 },
      canary: {
        ...{ share: 0.5, effect: 0.2, minUsers: 10, minExposures: 10 },
        // The short canary of a simulated day sees too few users for an estimate.
        ...{ maxSeconds: 3, undecided: "promote" },
      },
      // The reference model must pass the gate, although it is trained without a held-out part.
      gate: { forced: true },
      exploration: { rate: 0.2, depth: 30 },
    }),
  },
  trainer: {
    RECALIBRATION: JSON.stringify({
      evaluationShare: long ? 0.2 : 0.25,
      rate: 2e-3,
      gate: {
        ...{ minExamples: 100, minLists: 20, maxCalibrationError: long ? 0.15 : 0.25 },
        // A day of the short form has too few lists for a sure gain.
        forced: !long,
      },
    }),
  },
});

/** One day in both applications, and the recalibration after the day in the application that has one. */
interface SimulatedDay {
  day: number;
  /** The day in the recalibrated application. */
  on: DayResult;
  /** The day in the application whose model is frozen; null in the short form. */
  off: DayResult | null;
  /** The recalibration after the day; null after the last day. */
  night: NightResult | null;
}

describe("a change of user behavior", () => {
  const population = new UserPopulation(size, 101, Date.now() / 1000);
  let recalibratedApp: SimulatedApplication;
  let frozenApp: SimulatedApplication | null = null;
  beforeAll(async () => {
    await stack.start();
    recalibratedApp = new SimulatedApplication(stack, "demo", "dev-admin-key", population);
    await recalibratedApp.importMarketplace();
    if (!long) return;
    const { body } = await stack.call<{ key: string }>("POST", "/v1/keys", {
      body: { application: "frozen", role: "admin" },
    });
    frozenApp = new SimulatedApplication(stack, "frozen", body.key, population);
    await frozenApp.importMarketplace();
  }, 300_000);
  afterAll(() => stack.stop());

  /** Simulates the same days in each application. Before the season begins, all are recalibrated. */
  async function simulateDays(): Promise<{ days: SimulatedDay[]; seasonStart: number }> {
    const days: SimulatedDay[] = [];
    let seasonStart = 0;
    for (const [i, count] of visitsPerDay.entries()) {
      const inSeason = i >= regularDays;
      if (i === regularDays) seasonStart = Date.now() / 1000;
      const season = inSeason ? salesBehavior : regularBehavior;
      const today = drawVisits(population.users, count, i + 1);
      days.push({
        day: i + 1,
        on: await recalibratedApp.simulateDay(today, season),
        off: (await frozenApp?.simulateDay(today, season)) ?? null,
        night: i < visitsPerDay.length - 1 ? await recalibratedApp.recalibrate() : null,
      });
      if (!inSeason) await frozenApp?.recalibrate();
      if (long) console.log(JSON.stringify(days.at(-1)));
    }
    return { days, seasonStart };
  }

  /**
   * Compares the recalibrated model with another one: both serve the same visits in the recalibrated application. The
   * visitors send no events. Another application would not be comparable: its users have bought other products.
   */
  async function compareWith(
    version: string,
    parameters: Parameters,
  ): Promise<{ on: DayResult; other: DayResult }> {
    const today = drawVisits(population.users, comparisonVisits, visitsPerDay.length + 1);
    const on = await recalibratedApp.simulateDay(today, salesBehavior, false);
    await recalibratedApp.serveModel(version, parameters);
    return { on, other: await recalibratedApp.simulateDay(today, salesBehavior, false) };
  }

  function drawFigure(days: readonly SimulatedDay[], reference: number): string {
    const curve = (application: "on" | "off"): number[] =>
      days.map((day) => day[application]?.per100 ?? Number.NaN);
    return plotRecalibration({
      curves: [
        { name: "recalibration on", kind: "on", values: curve("on") },
        { name: "recalibration off", kind: "off", values: curve("off") },
      ],
      seasonStartDay: regularDays + 1,
      reference,
    });
  }

  it("leads to better recommendations by a recalibrated model than by a frozen one", async () => {
    const { days, seasonStart } = await simulateDays();
    const last = days[days.length - 1];
    // A recalibrated model serves without an upload.
    expect(Object.keys(last.on.versions).join(), JSON.stringify(days)).toContain("recal-");
    if (!frozenApp) {
      const comparison = await compareWith("frozen", bundledWeights());
      const report = JSON.stringify({ days, comparison });
      expect(Object.keys(comparison.on.versions).join(), report).toMatch(/^recal-[^,]*$/);
      expect(Object.keys(comparison.other.versions), report).toEqual(["frozen"]);
      expect(comparison.on.per100, report).toBeGreaterThan(1.2 * comparison.other.per100);
      return;
    }
    const applications = [recalibratedApp.application, frozenApp.application];
    const { parameters, lists } = await trainReferenceModel(
      stack,
      applications,
      seasonStart,
      bundledWeights(),
    );
    const { on, other: reference } = await compareWith("reference", parameters);
    const figures = { size, usualDays: regularDays, steps: days, comparison: { lists, on, reference } };
    writeFileSync(join(docs, "recalibration.json"), `${JSON.stringify(figures, null, 2)}\n`);
    writeFileSync(join(docs, "recalibration.svg"), drawFigure(days, reference.per100));
    const frozenVersions = days.slice(regularDays + 1).flatMap(({ off }) => Object.keys(off?.versions ?? {}));
    expect(new Set(frozenVersions).size).toBe(1);
    expect(last.on.per100, JSON.stringify(days)).toBeGreaterThan(1.05 * (last.off?.per100 ?? Number.NaN));
    expect(Object.keys(reference.versions)).toEqual(["reference"]);
    expect(on.per100).toBeGreaterThan(0.97 * reference.per100);
  }, 2_400_000);
});
