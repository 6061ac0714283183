import { nearestMinorUnits } from "../../shared/contracts/minor-units.ts";
import { emptyTotals, type HourTotals } from "../../shared/contracts/totals.ts";
import { type CountingSettings, defaultCounting } from "../../shared/counting/counting-settings.ts";
import { defaultMinUsersShown } from "../../shared/counting/min-users-shown.ts";
import { cellUtcOffset } from "../../shared/geo/local-time.ts";
import { daySeconds, hourSeconds } from "../../shared/time/seconds.ts";
import type { NextProduct } from "../columns/columns.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import { type CountedChoices, mayCount, withCounted } from "../profile/counted-choices.ts";
import { buildPyramid } from "../tiles/build-pyramid.ts";
import { type CellProduct, gapWeights } from "../tiles/cell-product.ts";
import { itemAddress } from "./interaction.ts";

/** An event adds a transition from each of this many previous choices of its user. */
const previousChoices = 3;

/** How much one user counts, and how many must agree before a tile shows a transition. */
export interface CountingRules extends Pick<CountingSettings, "timesCounted" | "againDays"> {
  minUsersShown: number;
}

/** Counts a user in every hour, and shows every transition: the rules by which the bundled model was trained. */
const everyHourCounts: CountingRules = {
  timesCounted: Number.POSITIVE_INFINITY,
  againDays: 0,
  minUsersShown: 1,
};

/** The rules of a deployment without settings of its own. */
export const servingCounts: CountingRules = { ...defaultCounting, minUsersShown: defaultMinUsersShown };

/** The rules that training and evaluation can count by, by the name that the commands take. */
export const countingRulesByName = { every: everyHourCounts, serving: servingCounts } as const;
/** The rules by which training and evaluation count unless they are told otherwise. */
export const defaultTrainingCounts: CountingRules = everyHourCounts;

/**
 * Returns the tile pyramid after some events, as of `time` in seconds since the epoch. The code of the cells builds it,
 * with the same hourly totals and the same transition weights: a user counts once by product, type and hour, within
 * `rules`.
 */
export function tilePyramidAfter(
  dataset: Pick<Dataset, "items">,
  events: readonly DatasetEvent[],
  time: number,
  rules: CountingRules = defaultTrainingCounts,
) {
  const hours = new Map<string, Map<number, HourTotals>>();
  const nextProducts = new Map<string, Map<string, { weight: number; users: Set<string> }>>();
  const countedChoices = new Map<string, CountedChoices>();
  const lastTransitions = new Map<string, number>();
  const counted = new Set<string>();
  const isNew = (...parts: (string | number)[]): boolean => {
    const { size } = counted;
    return counted.add(JSON.stringify(parts)).size > size;
  };
  const previous = new Map<string, string[]>();
  for (const event of events) {
    const productHours = hours.get(event.itemId) ?? new Map<number, HourTotals>();
    hours.set(event.itemId, productHours);
    const hour = Math.floor(event.time / hourSeconds);
    const counts = productHours.get(hour) ?? { ...emptyTotals(), hour };
    productHours.set(hour, counts);
    const user = JSON.stringify([event.userId, event.itemId]);
    const known = countedChoices.get(user);
    const isCounted = event.type === "dismiss" || mayCount(known, event.type, event.time, rules);
    if (isCounted && isNew(event.type, event.userId, event.itemId, event.type === "dismiss" ? 0 : hour))
      counts[event.type]++;
    if (event.type === "dismiss") continue;
    if (isCounted) countedChoices.set(user, withCounted(known, event.type, event.time));
    if (isNew("people", event.userId, event.itemId)) counts.people++;
    if (event.type === "purchase" && isNew("buyers", event.userId, event.itemId)) counts.buyers++;
    const before = previous.get(event.userId) ?? [];
    before.forEach((from, i) => {
      const gap = before.length - i;
      if (from === event.itemId) return;
      const pair = JSON.stringify([event.userId, from, event.itemId, gap]);
      const last = lastTransitions.get(pair) ?? Number.NEGATIVE_INFINITY;
      lastTransitions.set(pair, event.time);
      const isKnown =
        event.time - last < rules.againDays * daySeconds || Math.floor(last / hourSeconds) === hour;
      if (isKnown) return;
      const next = nextProducts.get(from) ?? new Map<string, { weight: number; users: Set<string> }>();
      nextProducts.set(from, next);
      const { weight, users } = next.get(event.itemId) ?? { weight: 0, users: new Set<string>() };
      next.set(event.itemId, { weight: weight + gapWeights[gap], users: users.add(event.userId) });
    });
    previous.set(event.userId, [...before, event.itemId].slice(-previousChoices));
  }
  const products: CellProduct[] = [];
  for (const item of dataset.items.values()) {
    const cell = itemAddress(item);
    const next: NextProduct[] = [...(nextProducts.get(item.id) ?? [])].flatMap(
      ([productId, { weight, users }]) => {
        const to = dataset.items.get(productId);
        return to && users.size >= rules.minUsersShown ? [{ productId, cell: itemAddress(to), weight }] : [];
      },
    );
    products.push({
      cell,
      change: {
        productId: item.id,
        version: 1,
        deleted: false,
        title: item.title,
        category: item.category,
        priceMinor: item.price === null ? null : nearestMinorUnits(item.price, item.currency),
        currency: item.currency,
        discount: item.discount,
        rating: item.rating,
        available: true,
        groupId: item.groupId ?? null,
        location: item.lat === null || item.lon === null ? null : { lat: item.lat, lon: item.lon },
        previousCell: null,
        createdAt: 0,
      },
      hours: [...(hours.get(item.id)?.values() ?? [])].sort((a, b) => a.hour - b.hour),
      nextProducts: next,
    });
  }
  return buildPyramid(products, time, cellUtcOffset);
}
