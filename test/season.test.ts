import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledWeights } from "../scripts/models/bundled-model.ts";
import { plotRecalibration } from "./season/plot-recalibration.ts";
import { type DayResult, type NightResult, SimulatedApplication } from "./season/simulated-application.ts";
import { trainReferenceModel } from "./season/train-reference-model.ts";
import { drawVisits, regularBehavior, salesBehavior, UserPopulation } from "./season/user-population.ts";
import { TestStack } from "./support/test-stack.ts";

/**
 * The long form (`npm run test:long`) simulates fourteen days, two of them before the sales season, and writes the figure to
 * `docs`. The short form simulates a day of the season, a recalibration, and the next day.
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
      visitsPerDay: [150, 240],
      regularDays: 0,
    };
/** Number of visits with which the recalibrated model and the reference model are compared. */
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
      canary: { share: 0.5, effect: 0.2, minUsers: 10, minExposures: 10, maxSeconds: 3 },
      // The reference model must pass the gate, although it is trained without a held-out part.
      gate: { forced: true },
      exploration: { rate: 0.2, depth: 30 },
    }),
  },
  trainer: {
    RECALIBRATION: JSON.stringify({
      evaluationShare: long ? 0.2 : 0.25,
      rate: 2e-3,
      gate: { minExamples: 100, minLists: 20, maxCalibrationError: long ? 0.15 : 0.25 },
    }),
  },
});

/** One day in both applications, and the recalibration after the day in the application that has one. */
interface SimulatedDay {
  day: number;
  /** The day in the recalibrated application. */
  on: DayResult;
  /** The day in the application whose model is frozen. */
  off: DayResult;
  /** The recalibration after the day; null after the last day. */
  night: NightResult | null;
}

describe("a change of user behavior", () => {
  const population = new UserPopulation(size, 101, Date.now() / 1000);
  let recalibratedApp: SimulatedApplication;
  let frozenApp: SimulatedApplication;
  beforeAll(async () => {
    await stack.start();
    const { body } = await stack.call<{ key: string }>("POST", "/v1/keys", {
      body: { application: "frozen", role: "admin" },
    });
    recalibratedApp = new SimulatedApplication(stack, "demo", "dev-admin-key", population);
    frozenApp = new SimulatedApplication(stack, "frozen", body.key, population);
    await recalibratedApp.importMarketplace();
    await frozenApp.importMarketplace();
  }, 300_000);
  afterAll(() => stack.stop());

  /** Simulates the same days in both applications. Before the season begins, both are recalibrated. */
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
        off: await frozenApp.simulateDay(today, season),
        night: i < visitsPerDay.length - 1 ? await recalibratedApp.recalibrate() : null,
      });
      if (!inSeason) await frozenApp.recalibrate();
      if (long) console.log(JSON.stringify(days.at(-1)));
    }
    return { days, seasonStart };
  }

  /**
   * Compares the recalibrated model with the reference model: both serve the same visits in the recalibrated application.
   * The visitors send no events. The other application would not be comparable: its users have bought less, so they would
   * still buy more.
   */
  async function compare(
    seasonStart: number,
  ): Promise<{ lists: number; on: DayResult; reference: DayResult }> {
    const applications = [recalibratedApp.application, frozenApp.application];
    const { parameters, lists } = await trainReferenceModel(
      stack,
      applications,
      seasonStart,
      bundledWeights(),
    );
    const today = drawVisits(population.users, comparisonVisits, visitsPerDay.length + 1);
    const recalibrated = await recalibratedApp.simulateDay(today, salesBehavior, false);
    await recalibratedApp.serveModel("reference", parameters);
    return {
      lists,
      on: recalibrated,
      reference: await recalibratedApp.simulateDay(today, salesBehavior, false),
    };
  }

  function drawFigure(days: readonly SimulatedDay[], reference: number): string {
    const curve = (application: "on" | "off"): number[] => days.map((day) => day[application].per100);
    return plotRecalibration({
      curves: [
        { name: "recalibration on", kind: "on", values: curve("on") },
        { name: "recalibration off", kind: "off", values: curve("off") },
      ],
      seasonStartDay: regularDays + 1,
      reference,
    });
  }

  it("leads to better recommendations where the model is recalibrated than where it is frozen", async () => {
    const { days, seasonStart } = await simulateDays();
    const report = JSON.stringify(days);
    const last = days[days.length - 1];
    // A recalibrated model serves without an upload, and the other application still has one model.
    expect(Object.keys(last.on.versions).join(), report).toContain("recal-");
    expect(
      new Set(days.slice(regularDays + 1).flatMap(({ off: { versions } }) => Object.keys(versions))).size,
    ).toBe(1);
    expect(last.on.per100, report).toBeGreaterThan(1.05 * last.off.per100);
    if (!long) return;
    const comparison = await compare(seasonStart);
    const figures = { size, usualDays: regularDays, steps: days, comparison };
    writeFileSync(join(docs, "recalibration.json"), `${JSON.stringify(figures, null, 2)}\n`);
    writeFileSync(join(docs, "recalibration.svg"), drawFigure(days, comparison.reference.per100));
    expect(Object.keys(comparison.reference.versions)).toEqual(["reference"]);
    expect(comparison.on.per100).toBeGreaterThan(0.97 * comparison.reference.per100);
  }, 2_400_000);
});
