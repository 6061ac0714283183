import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usual } from "../model/simulate/truth.ts";
import { bundledWeights } from "../scripts/models/upload.ts";
import { Crowd, sales, visitsOf } from "./season/market.ts";
import { plot } from "./season/plot.ts";
import { referenceOf } from "./season/reference.ts";
import { type Day, type Night, World } from "./season/world.ts";
import { Stack } from "./stack.ts";

/**
 * The long form (`npm run test:long`) lives fourteen days, two of them before the season, and draws the figure in `docs`; the
 * short one a day in the season, a night, and the day after.
 */
const long = process.env.VICINITY_LONG === "1";
const { size, visits, usualDays, days } = long
  ? {
      size: { products: 1200, people: 240, events: 24_000, days: 56, cities: 3 },
      visits: 300,
      usualDays: 2,
      days: 14,
    }
  : {
      size: { products: 400, people: 100, events: 3000, days: 56, cities: 1 },
      visits: 250,
      usualDays: 0,
      days: 2,
    };
const docs = join(import.meta.dirname, "../docs");

/** A day takes less than a minute here: what waits, waits seconds, and what counts, counts to less. */
const stack = new Stack({
  recommendation: {
    CLICK_WINDOW_SECONDS: "2",
    ROLLOUT: JSON.stringify({
      shadow: { share: 1, leastRequests: 5, leastSeconds: 0 },
      canary: { share: 0.5, effect: 0.2, leastPeople: 10, leastExposures: 10, mostSeconds: 3 },
      // For the reference, which is brought by hand.
      gate: { forced: true },
      exploration: { rate: 0.2, depth: 30 },
    }),
  },
  trainer: {
    RECALIBRATION: JSON.stringify({
      calibrationShare: 0.1,
      evaluationShare: long ? 0.15 : 0.25,
      epochs: 4,
      rate: 2e-3,
      gate: { leastExamples: 100, leastLists: 20, mostCalibrationError: long ? 0.15 : 0.25 },
    }),
  },
});

/** One day in both worlds, and the night after it in the one that is recalibrated. */
interface Step {
  day: number;
  on: Day;
  off: Day;
  night: Night | null;
}

describe("a season begins", () => {
  const crowd = new Crowd(size, 101, Date.now() / 1000);
  let on: World;
  let off: World;
  beforeAll(async () => {
    await stack.start();
    const { body } = await stack.call<{ key: string }>("POST", "/v1/keys", {
      body: { application: "frozen", role: "admin" },
    });
    on = new World(stack, "demo", "dev-admin-key", crowd);
    off = new World(stack, "frozen", body.key, crowd);
    const t = Date.now();
    await on.settle();
    await off.settle();
    console.log("settled", Date.now() - t);
  }, 300_000);
  afterAll(() => stack.stop());

  it("recommendations get better again where the model is recalibrated, and stay bad where it is not", async () => {
    const steps: Step[] = [];
    let began = 0;
    for (let day = 1; day <= days; day++) {
      const season = day > usualDays ? sales : usual;
      if (day === usualDays + 1) began = Date.now() / 1000;
      const today = visitsOf(crowd.people, visits, day);
      const t = Date.now();
      const step: Step = {
        day,
        on: await on.day(today, season),
        off: await off.day(today, season),
        night: null,
      };
      const t2 = Date.now();
      if (day < days) step.night = await on.night();
      if (day <= usualDays) await off.night();
      steps.push(step);
      console.log(JSON.stringify({ ...step, dayMs: t2 - t, nightMs: Date.now() - t2 }));
    }
    const last = steps[days - 1];
    expect(Object.keys(last.on.versions).length, JSON.stringify(steps)).toBeGreaterThan(0);
    expect(last.on.per100, JSON.stringify(steps)).toBeGreaterThan(1.03 * last.off.per100);
    if (!long) return;
    // What could be known: brought to the world that has not been recalibrated, then both live one day more.
    const { parameters, lists } = await referenceOf(stack, ["demo", "frozen"], began, bundledWeights());
    await off.bring("reference", parameters);
    const more = visitsOf(crowd.people, 2 * visits, days + 1);
    const both = { on: await on.day(more, sales), reference: await off.day(more, sales) };
    const figures = { visits, usualDays, days, steps, reference: { lists, ...both } };
    console.log(JSON.stringify(figures.reference));
    writeFileSync(join(docs, "recalibration.json"), `${JSON.stringify(figures, null, 2)}\n`);
    const curve = (of: "on" | "off"): number[] => steps.map((step) => step[of].per100);
    const svg = plot({
      curves: [
        { name: "recalibration on", kind: "on", values: curve("on") },
        { name: "recalibration off", kind: "off", values: curve("off") },
      ],
      begins: usualDays + 1,
      reference: both.reference.per100,
    });
    writeFileSync(join(docs, "recalibration.svg"), svg);
    expect(both.on.per100).toBeGreaterThan(0.97 * both.reference.per100);
  }, 2_400_000);
});
