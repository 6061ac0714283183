import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Campaign, campaigns } from "./campaigns.ts";
import { honestHistory, observers, products } from "./honest-world.ts";
import { bindings, type Rules, Shop } from "./shop.ts";

const environment: {
  USER_MIGRATIONS: D1Migration[];
  CITY_MIGRATIONS: D1Migration[];
  MODEL_MIGRATIONS: D1Migration[];
  LONG: boolean;
} = Object.assign({ USER_MIGRATIONS: [], CITY_MIGRATIONS: [], MODEL_MIGRATIONS: [], LONG: false }, env);

const invented = environment.LONG ? 1000 : 300;
/** Positions that no campaign of strangers may reach. */
const firstItems = 20;
/** Items of every list in which a campaign's target is not, before the campaign. */
const farFromFirst = 30;
/** Items of the trending list of which one is the target of dismissals. */
const popularItems = 5;
/** Positions that a product may lose by a campaign of dismissals. */
const maxRanksLost = 2;

const start = Date.UTC(2100, 0, 4, 12);
const shop = new Shop("shop", products);

/** Where the target of a campaign is, from 1; Infinity where a list does not contain it. */
interface Ranks {
  /** For each observer. */
  recommended: number[];
  trending: number;
  similar: number | null;
}

const rankOf = (ids: readonly string[], id: string): number => {
  const index = ids.indexOf(id);
  return index < 0 ? Number.POSITIVE_INFINITY : index + 1;
};

/** The lists of the observers, and those for everybody. */
interface Lists {
  recommended: string[][];
  trending: string[];
  similar: string[] | null;
}

async function readLists({ similarTo }: Campaign, rules: Rules): Promise<Lists> {
  const recommended: string[][] = [];
  for (const { userId, location } of observers)
    recommended.push(await shop.recommended(userId, location, rules));
  return {
    recommended,
    trending: await shop.trending(rules),
    similar: similarTo === undefined ? null : await shop.similar(similarTo, rules),
  };
}

const ranksIn = ({ recommended, trending, similar }: Lists, target: string): Ranks => ({
  recommended: recommended.map((ids) => rankOf(ids, target)),
  trending: rankOf(trending, target),
  similar: similar && rankOf(similar, target),
});

const attacked = new Set<string>();

/**
 * Returns the target of a campaign, which no earlier one attacked: a product in no list's first {@link farFromFirst}
 * items, or a popular one for dismissals.
 */
function chooseTarget({ isDismissal }: Campaign, lists: Lists): string {
  const isTarget = (id: string): boolean => {
    const { recommended, trending, similar } = ranksIn(lists, id);
    const ranks = [...recommended, trending, similar ?? Number.POSITIVE_INFINITY];
    return isDismissal ? trending <= popularItems : Math.min(...ranks) > farFromFirst;
  };
  const target = products.map(({ productId }) => productId).find((id) => !attacked.has(id) && isTarget(id));
  if (target === undefined) throw new Error("No product is far enough from the first items of every list.");
  attacked.add(target);
  return target;
}

/** The ranks of a campaign's target before and after it, by both rules. */
interface Outcome {
  campaign: Campaign;
  old: { before: Ranks; after: Ranks };
  present: { before: Ranks; after: Ranks };
}
const outcomes: Outcome[] = [];

const best = ({ recommended }: Ranks): number => Math.min(...recommended);
const shown = (rank: number): string => (Number.isFinite(rank) ? `${rank}` : "not in it");
const change = (before: number | null, after: number | null): string =>
  before === null || after === null
    ? ""
    : before === after
      ? shown(before)
      : `${shown(before)} to ${shown(after)}`;

/** Returns the attack table in Markdown: ranks before and after each campaign. */
function attackTable(): string {
  const rows = outcomes.map(({ campaign, old, present }) => {
    const columns = [old, present].map(({ before, after }) =>
      [
        change(best(before), best(after)),
        change(before.trending, after.trending),
        change(before.similar, after.similar),
      ].join(" | "),
    );
    return `| ${campaign.name} | ${columns.join(" | ")} |`;
  });
  return [
    "| campaign | list, version 0.2 | trending, 0.2 | similar, 0.2 | list, now | trending, now | similar, now |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

beforeAll(async () => {
  await applyD1Migrations(bindings.USERS, environment.USER_MIGRATIONS);
  await applyD1Migrations(bindings.CITIES, environment.CITY_MIGRATIONS);
  await applyD1Migrations(bindings.MODELS_DB, environment.MODEL_MIGRATIONS);
  vi.useFakeTimers({ toFake: ["Date"] });
  // A fixed time ahead of the machine's clock: no alarm runs by itself.
  vi.setSystemTime(start);
  await shop.open();
  await shop.importHistory(honestHistory(Date.now() / 1000));
  await shop.publish();
});
afterAll(() => {
  vi.useRealTimers();
  console.log(attackTable());
});

describe("S3, S4, S5: the lists of honest users", () => {
  for (const campaign of campaigns(invented))
    it(`withstand: ${campaign.name}`, async () => {
      const before = { old: await readLists(campaign, "before"), present: await readLists(campaign, "now") };
      const target = chooseTarget(campaign, before.present);
      const totals = await shop.totals();
      await campaign.attack(shop, target);
      await shop.deliver();
      await shop.publish();
      const [earlier, later] = [before.present, await readLists(campaign, "now")].map((lists) =>
        ranksIn(lists, target),
      );
      const old = {
        before: ranksIn(before.old, target),
        after: ranksIn(await readLists(campaign, "before"), target),
      };
      outcomes.push({ campaign, old, present: { before: earlier, after: later } });
      if (campaign.addsNothing) expect(await shop.totals()).toEqual(totals);
      if (campaign.isDismissal) {
        expect(later.trending).toBeLessThanOrEqual(earlier.trending + maxRanksLost);
        for (const [i, rank] of later.recommended.entries())
          expect(rank).toBeLessThanOrEqual(earlier.recommended[i] + maxRanksLost);
        return;
      }
      for (const rank of later.recommended) expect(rank).toBeGreaterThan(firstItems);
      expect(later.trending).toBeGreaterThan(firstItems);
      if (later.similar !== null) expect(later.similar).toBeGreaterThan(firstItems);
    });
});
