import type { SimulationSize } from "../../simulate/simulate.ts";
import { simulate } from "../../simulate/simulate.ts";
import { Random } from "../../train/random.ts";
import { armOf } from "../allocation.ts";
import { type ResultSettings, resultsOf } from "../experiment-results.ts";
import { metricOfUsers } from "../user-metric.ts";

/** What a simulated user did: each view is a list. Times are in order, in seconds since the epoch. */
interface UserHistory {
  id: string;
  lists: { time: number; isSuccess: boolean }[];
  purchases: { time: number; price: number }[];
}

/** The users of a simulated marketplace, and the prices of what they buy. */
export interface SimulatedTraffic {
  users: UserHistory[];
  /** Times of the looks at the results, evenly spread over the events. */
  looks: number[];
  /** Share of the users who buy. */
  conversion: number;
}

/** Returns the traffic of the simulator, for experiments that assign its users to variants. */
export function simulatedTraffic(size: SimulationSize, seed: number, looks: number): SimulatedTraffic {
  const { dataset } = simulate(size, seed, 1_767_268_800);
  const users = new Map<string, UserHistory>();
  const events = [...dataset.train, ...dataset.valid, ...dataset.test];
  for (const { userId, itemId, type, time } of events) {
    const user = users.get(userId) ?? { id: userId, lists: [], purchases: [] };
    users.set(userId, user);
    if (type === "view") user.lists.push({ time, isSuccess: false });
    else if (type === "click" && user.lists.length > 0) user.lists[user.lists.length - 1].isSuccess = true;
    else if (type === "purchase") user.purchases.push({ time, price: dataset.items.get(itemId)?.price ?? 0 });
  }
  const exposed = [...users.values()].filter(({ lists }) => lists.length > 0);
  return {
    users: exposed,
    looks: Array.from(
      { length: looks },
      (_, i) => events[Math.floor(((i + 1) * events.length) / looks) - 1].time,
    ),
    conversion: exposed.filter(({ purchases }) => purchases.length > 0).length / exposed.length,
  };
}

/** How an experiment on simulated traffic differs from an A/A experiment. */
export interface SimulatedEffect {
  /** Relative lift of conversion in the second variant. */
  lift?: number;
  /** Share of the second variant's users that get lost. */
  lost?: number;
}

const settings: ResultSettings = {
  goal: "conversion",
  guardrails: ["clickThrough", "revenue"],
  alpha: 0.05,
  expectedUsers: 10_000,
};

/** What the looks at one experiment found. */
export interface SimulatedOutcome {
  /** Whether any metric was called better or worse at any look. */
  isAlarm: boolean;
  isBetter: boolean;
  isFault: boolean;
}

/** Runs one experiment with two variants on simulated traffic; the results are looked at many times. */
export function simulatedExperiment(
  { users, looks, conversion }: SimulatedTraffic,
  salt: string,
  { lift = 0, lost = 0 }: SimulatedEffect = {},
  of: Partial<ResultSettings> = {},
): SimulatedOutcome {
  const random = new Random([...salt].reduce((sum, sign) => sum * 31 + sign.charCodeAt(0), 7));
  const arms = [
    { name: "control", share: 1 },
    { name: "variant", share: 1 },
  ];
  const extra = (lift * conversion) / (1 - conversion);
  const groups: UserHistory[][] = [[], []];
  for (const user of users) {
    const isVariant = armOf({ application: "demo", experiment: salt, userId: user.id }, arms) === "variant";
    if (isVariant && random.next() < lost) continue;
    const buys = isVariant && user.purchases.length === 0 && random.next() < extra;
    const { time } = user.lists[random.below(user.lists.length)];
    groups[isVariant ? 1 : 0].push(buys ? { ...user, purchases: [{ time, price: 20 }] } : user);
  }
  const outcome: SimulatedOutcome = { isAlarm: false, isBetter: false, isFault: false };
  for (const now of looks) {
    const results = resultsOf(
      groups.map((group, i) => sampleAt(arms[i].name, group, now)),
      { ...settings, ...of },
    );
    const verdicts = results.variants[1].metrics.map(({ verdict }) => verdict);
    outcome.isFault ||= results.sampleRatio.fault;
    outcome.isAlarm ||= verdicts.some((verdict) => verdict !== "open");
    outcome.isBetter ||= verdicts[0] === "better";
  }
  return outcome;
}

function sampleAt(name: string, group: readonly UserHistory[], now: number) {
  const seen = group.flatMap(({ lists, purchases }) => {
    if (lists[0].time > now) return [];
    const shown = lists.filter(({ time }) => time <= now);
    const bought = purchases.filter(({ time }) => time <= now);
    return [
      {
        lists: shown.length,
        successes: shown.filter(({ isSuccess }) => isSuccess).length,
        orders: bought.length,
        revenue: bought.reduce((sum, { price }) => sum + price, 0),
      },
    ];
  });
  return {
    name,
    share: 1,
    users: seen.length,
    lists: seen.reduce((sum, { lists }) => sum + lists, 0),
    metrics: {
      clickThrough: metricOfUsers(seen.map(({ lists, successes }) => ({ y: successes, x: lists }))),
      conversion: metricOfUsers(seen.map(({ orders }) => ({ y: orders > 0 ? 1 : 0, x: 1 }))),
      revenue: metricOfUsers(seen.map(({ revenue }) => ({ y: revenue, x: 1 }))),
    },
  };
}
