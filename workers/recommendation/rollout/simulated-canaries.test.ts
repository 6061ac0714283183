import { describe, expect, it } from "vitest";
import { emptyArmTotals, updateArmTotals } from "../../../model/experiments/sequential.ts";
import { Random } from "../../../model/train/random.ts";
import { rolloutSettings } from "../settings.ts";
import { canaryArmOf, canaryShareAt } from "./canary-arm.ts";
import { decideCanary } from "./decide-rollout.ts";

const canaries = 200;
const day = 86_400;
const { canary } = rolloutSettings.parse({});
/** Share of the lists in which a usual user chooses something, and how much it differs between users (standard deviation). */
const usualRate = 0.25;
const rateSpread = 0.1;
/** Lists that a usual user asks for in a day, and the spread of the logarithm: few users ask for most of the lists. */
const listsPerDay = 0.5;
const activitySpread = 1;
/** Looks at the counts in a day. The cron looks each minute; the interval holds for any number of looks. */
const looksPerDay = 6;

type Outcome = "serving" | "rolled_back" | "canary";

/** Returns how the canary of a candidate with `effect` times the success rate ended, and the days it took. */
function simulateCanary(seed: number, users: number, effect: number): { outcome: Outcome; days: number } {
  const random = new Random(seed);
  const people = Array.from({ length: users }, (_, i) => ({
    id: `${seed}-${i}`,
    rate: Math.min(0.7, Math.max(0.01, usualRate + rateSpread * random.normal())),
    lists: listsPerDay * Math.exp(activitySpread * random.normal() - activitySpread ** 2 / 2),
    counts: { n: 0, s: 0 },
  }));
  const totals = new Map([
    ["canary", emptyArmTotals],
    ["control", emptyArmTotals],
  ]);
  const step = day / looksPerDay;
  for (let now = 0; now <= canary.maxSeconds; now += step) {
    const decision = decideCanary(totals, 0, { canary }, now);
    if (decision) return { outcome: decision.to, days: now / day };
    const share = canaryShareAt(now, canary);
    for (const user of people) {
      const { arm } = canaryArmOf("shop", "v2", user.id, share);
      if (arm === "rest" || random.next() >= user.lists / looksPerDay) continue;
      const isSuccess = random.next() < user.rate * (arm === "canary" ? effect : 1);
      const counts = { n: user.counts.n + 1, s: user.counts.s + (isSuccess ? 1 : 0) };
      totals.set(arm, updateArmTotals(totals.get(arm) ?? emptyArmTotals, counts, user.counts));
      user.counts = counts;
    }
  }
  return { outcome: "canary", days: canary.maxSeconds / day };
}

/** Returns the share of canaries that were promoted, of shops with 50 to 500 users. */
function promoted(effect: number): { promoted: number; open: number } {
  const count = { serving: 0, rolled_back: 0, canary: 0 };
  for (let i = 0; i < canaries; i++) {
    const users = 50 + Math.round((450 * i) / (canaries - 1));
    count[simulateCanary(1000 + i, users, effect).outcome]++;
  }
  return { promoted: count.serving / canaries, open: count.canary / canaries };
}

describe("200 canaries of shops with 50 to 500 users", () => {
  it("promote a version that is worse by 30% in at most 2%", () => {
    const worse = promoted(0.7);
    expect(worse.promoted).toBeLessThanOrEqual(0.02);
    expect(worse.open).toBe(0);
  });

  it("promote a version that is better by 30% in at least 60% within two weeks", () => {
    const better = promoted(1.3);
    expect(better.promoted).toBeGreaterThanOrEqual(0.6);
    expect(better.open).toBe(0);
  });
});
