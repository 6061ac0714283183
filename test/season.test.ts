import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledWeights } from "../scripts/models/bundled-model.ts";
import { Crowd, everyday, sales, visitsOf } from "./season/market.ts";
import { plot } from "./season/plot.ts";
import { referenceOf } from "./season/reference.ts";
import { type Day, type Night, World } from "./season/world.ts";
import { Stack } from "./stack.ts";

/**
 * The long form (`npm run test:long`) lives fourteen days, two of them before the season, and draws the figure in `docs`; the
 * short one lives a day of the season, a night, and the day after.
 */
const long = process.env.VICINITY_LONG === "1";
const { size, visits, usualDays } = long
  ? {
      size: { products: 500, users: 120, events: 5000, days: 56, cities: 1 },
      visits: new Array<number>(14).fill(110),
      usualDays: 2,
    }
  : {
      size: { products: 400, users: 100, events: 3000, days: 56, cities: 1 },
      visits: [150, 80],
      usualDays: 0,
    };
/** The reference is compared on a longer day. */
const visitsOfComparison = 300;
const docs = join(import.meta.dirname, "../docs");

/**
 * A day takes less than a minute here: what waits, waits seconds instead of hours, and what asks for a number of people or
 * lists asks for fewer, since fewer come.
 */
const stack = new Stack({
  recommendation: {
    CLICK_WINDOW_SECONDS: "2",
    ROLLOUT: JSON.stringify({
      shadow: { share: 1, minRequests: 5, minSeconds: 0 },
      canary: { share: 0.5, effect: 0.2, minPeople: 10, minExposures: 10, maxSeconds: 3 },
      // For the reference, which is brought by hand.
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
    await on.settle();
    await off.settle();
  }, 300_000);
  afterAll(() => stack.stop());

  /** Both worlds live the same days; until the season begins, both are recalibrated. */
  async function live(): Promise<{ steps: Step[]; began: number }> {
    const steps: Step[] = [];
    let began = 0;
    for (const [i, count] of visits.entries()) {
      const inSeason = i >= usualDays;
      if (i === usualDays) began = Date.now() / 1000;
      const season = inSeason ? sales : everyday;
      const today = visitsOf(crowd.users, count, i + 1);
      steps.push({
        day: i + 1,
        on: await on.day(today, season),
        off: await off.day(today, season),
        night: i < visits.length - 1 ? await on.night() : null,
      });
      if (!inSeason) await off.night();
      if (long) console.log(JSON.stringify(steps.at(-1)));
    }
    return { steps, began };
  }

  /**
   * What serves in the recalibrated world, and what could be known, are asked the same by the same people in that world, who
   * only look: in the other one people have bought less, and there is more left to want.
   */
  async function compare(began: number): Promise<{ lists: number; on: Day; reference: Day }> {
    const worlds = [on.application, off.application];
    const { parameters, lists } = await referenceOf(stack, worlds, began, bundledWeights());
    const today = visitsOf(crowd.users, visitsOfComparison, visits.length + 1);
    const own = await on.day(today, sales, false);
    await on.bring("reference", parameters);
    return { lists, on: own, reference: await on.day(today, sales, false) };
  }

  function draw(steps: readonly Step[], reference: number): string {
    const curve = (of: "on" | "off"): number[] => steps.map((step) => step[of].per100);
    return plot({
      curves: [
        { name: "recalibration on", kind: "on", values: curve("on") },
        { name: "recalibration off", kind: "off", values: curve("off") },
      ],
      begins: usualDays + 1,
      reference,
    });
  }

  it("recommendations get better again where the model is recalibrated, and stay bad where it is not", async () => {
    const { steps, began } = await live();
    const told = JSON.stringify(steps);
    const last = steps[steps.length - 1];
    // A night's model took over by itself, and nothing took over in the other world.
    expect(Object.keys(last.on.versions).join(), told).toContain("recal-");
    expect(
      new Set(steps.slice(usualDays + 1).flatMap(({ off: { versions } }) => Object.keys(versions))).size,
    ).toBe(1);
    expect(last.on.per100, told).toBeGreaterThan(1.05 * last.off.per100);
    if (!long) return;
    const comparison = await compare(began);
    const figures = { size, usualDays, steps, comparison };
    writeFileSync(join(docs, "recalibration.json"), `${JSON.stringify(figures, null, 2)}\n`);
    writeFileSync(join(docs, "recalibration.svg"), draw(steps, comparison.reference.per100));
    expect(Object.keys(comparison.reference.versions)).toEqual(["reference"]);
    expect(comparison.on.per100).toBeGreaterThan(0.97 * comparison.reference.per100);
  }, 2_400_000);
});
