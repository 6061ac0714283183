import { eventTypes } from "../../shared/contracts/event.ts";
import type { UserActivity } from "./activity.ts";
import { addDecayed, retentionValue } from "./apply-interaction.ts";
import type { CountedChoices } from "./counted-choices.ts";
import {
  type CategoryStats,
  categoryHalfLives,
  type DismissedProduct,
  type PlaceStats,
  type PricesByCurrency,
  type ProductStats,
  type PurchasedProduct,
  placeHalfLifeDays,
  profileLimits,
  type TransitionStats,
  type UserProfile,
} from "./profile.ts";
import { mergeShown } from "./shown-products.ts";

/**
 * Returns the profile of a user after the history of `from`, another profile of the same user, was added to `into`.
 * Counts are added up, and times are the earliest or latest of both. Each map keeps the entries that are worth most,
 * within {@link profileLimits}. Home, precision and the version of the settings are those of `into`. The caller has
 * brought the locations of `from` to the precision of `into`. Neither argument changes.
 */
export function mergeProfiles(into: UserProfile, from: UserProfile): UserProfile {
  const products = mergeMaps(
    into.products,
    from.products,
    mergeProducts,
    profileLimits.products,
    ({ choices, last }) => retentionValue(choices, last),
  );
  return {
    ...into,
    events: into.events + from.events,
    choices: into.choices + from.choices,
    recent: [...into.recent, ...from.recent]
      .sort((a, b) => a.time - b.time)
      .slice(-profileLimits.recent)
      .map((event) => ({ ...event })),
    products,
    dismissed: mergeDismissedMaps(into, from),
    purchased: mergeMaps(
      into.purchased,
      from.purchased,
      mergePurchased,
      profileLimits.purchased,
      ({ last }) => last,
    ),
    shown: mergeShown(into, from),
    shownUntil: Math.max(into.shownUntil, from.shownUntil),
    categories: mergeMaps(
      into.categories,
      from.categories,
      mergeCategories,
      profileLimits.categories,
      ({ choices, at }) => retentionValue(choices, at),
    ),
    places: mergeMaps(into.places, from.places, mergePlaces, profileLimits.places, ({ choices, at }) =>
      retentionValue(choices, at),
    ),
    transitions: mergeMaps(
      into.transitions,
      from.transitions,
      mergeTransitions,
      profileLimits.transitions,
      ({ count, last }) => retentionValue(count, last),
    ),
    activity: mergeActivity(into.activity, from.activity),
    hours: addLists(into.hours, from.hours),
    weekdays: addLists(into.weekdays, from.weekdays),
    prices: mergePrices(into.prices, from.prices),
    ...newestLocations(into, from),
  };
}

/** Returns the later of two locations, and the unconfirmed location that was reported after it, if there is one. */
function newestLocations(
  into: UserProfile,
  from: UserProfile,
): Pick<UserProfile, "location" | "unconfirmedLocation"> {
  const isFromNewer =
    from.location !== null && (into.location === null || from.location.time > into.location.time);
  const { location, unconfirmedLocation } = isFromNewer ? from : into;
  return { location, unconfirmedLocation };
}

/** Returns the later of two times; null if both are null. */
function latest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}

/** Returns the earlier of two times; null if both are null. */
function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

const addLists = (a: readonly number[], b: readonly number[]): number[] => a.map((n, i) => n + (b[i] ?? 0));

/** Returns copies of all entries, merged where both maps have the key: the `limit` entries of the largest values. */
function mergeMaps<V extends object>(
  into: ReadonlyMap<string, V>,
  from: ReadonlyMap<string, V>,
  mergeEntries: (into: V, from: V) => V,
  limit: number,
  valueOfEntry: (entry: V) => number,
): Map<string, V> {
  const merged = new Map<string, V>();
  for (const [key, entry] of into) merged.set(key, structuredClone(entry));
  for (const [key, entry] of from) {
    const known = merged.get(key);
    merged.set(key, known ? mergeEntries(known, entry) : structuredClone(entry));
  }
  if (merged.size <= limit) return merged;
  return new Map([...merged].sort(([, a], [, b]) => valueOfEntry(b) - valueOfEntry(a)).slice(0, limit));
}

/** Adds up the choices of a product. What is known of the product itself is the newest that is known. */
function mergeProducts(into: ProductStats, from: ProductStats): ProductStats {
  const newer = from.cell !== null && (into.cell === null || from.last > into.last) ? from : into;
  return {
    cell: newer.cell,
    category: newer.category,
    lat: newer.lat,
    lon: newer.lon,
    counts: addLists(into.counts, from.counts),
    choices: into.choices + from.choices,
    first: Math.min(into.first, from.first),
    last: Math.max(into.last, from.last),
    lastDeliberate: latest(into.lastDeliberate, from.lastDeliberate),
    times: [...into.times, ...from.times].sort((a, b) => a - b).slice(-profileLimits.times),
    transitions: into.transitions + from.transitions,
    ...(into.counted || from.counted ? { counted: mergeCounted(into.counted, from.counted) } : {}),
  };
}

/** Adds up the hours in which the users counted for others. An hour of both counts twice, so that none counts more. */
function mergeCounted(into: CountedChoices = {}, from: CountedChoices = {}): CountedChoices {
  const merged: CountedChoices = { ...into };
  for (const type of eventTypes) {
    const [own, other] = [into[type], from[type]];
    if (other) merged[type] = own ? [own[0] + other[0], Math.max(own[1], other[1])] : other;
  }
  return merged;
}

/**
 * Merges the activities. Days of both are not known, so the number of days is that of the user with more of them: nobody
 * grows older by many merges.
 */
function mergeActivity(into: UserActivity, from: UserActivity): UserActivity {
  const hour = Math.max(into.hour, from.hour);
  const inHour = [into, from].filter((each) => each.hour === hour);
  return {
    since: earliest(into.since, from.since),
    days: Math.max(into.days, from.days),
    lastDay: Math.max(into.lastDay, from.lastDay),
    hour,
    events: inHour.reduce((sum, { events }) => sum + events, 0),
    locations: inHour.reduce((sum, { locations }) => sum + locations, 0),
  };
}

/**
 * Merges the dismissed products. A click, cart or purchase ends a dismissal's effect, also one that only the other
 * profile has seen.
 */
function mergeDismissedMaps(into: UserProfile, from: UserProfile): Map<string, DismissedProduct> {
  const merged = mergeMaps(
    into.dismissed,
    from.dismissed,
    (a, b) => ({
      count: a.count + b.count,
      last: Math.max(a.last, b.last),
      lastDeliberate: latest(a.lastDeliberate, b.lastDeliberate),
    }),
    profileLimits.dismissed,
    ({ last }) => last,
  );
  for (const [productId, entry] of merged)
    for (const { products } of [into, from])
      entry.lastDeliberate = latest(entry.lastDeliberate, products.get(productId)?.lastDeliberate ?? null);
  return merged;
}

const mergePurchased = (into: PurchasedProduct, from: PurchasedProduct): PurchasedProduct => ({
  count: into.count + from.count,
  first: Math.min(into.first, from.first),
  last: Math.max(into.last, from.last),
});

const mergeCategories = (into: CategoryStats, from: CategoryStats): CategoryStats => ({
  choices: into.choices + from.choices,
  dismissals: into.dismissals + from.dismissals,
  decayed: categoryHalfLives.map((days, i) =>
    addDecayed(into.decayed[i], into.at, from.at, days, from.decayed[i]),
  ),
  at: Math.max(into.at, from.at),
  hours: addLists(into.hours, from.hours),
  weekdays: addLists(into.weekdays, from.weekdays),
  prices: mergePrices(into.prices, from.prices),
});

function mergePlaces(into: PlaceStats, from: PlaceStats): PlaceStats {
  const choices = into.choices + from.choices;
  const share = choices === 0 ? 0 : from.choices / choices;
  return {
    lat: into.lat + (from.lat - into.lat) * share,
    lon: into.lon + (from.lon - into.lon) * share,
    choices,
    decayed: addDecayed(into.decayed, into.at, from.at, placeHalfLifeDays, from.decayed),
    at: Math.max(into.at, from.at),
  };
}

const mergeTransitions = (into: TransitionStats, from: TransitionStats): TransitionStats => ({
  count: into.count + from.count,
  last: Math.max(into.last, from.last),
});

/** Adds up prices by currency, and keeps the currencies of the most prices. */
function mergePrices(into: PricesByCurrency, from: PricesByCurrency): PricesByCurrency {
  const merged = new Map(Object.entries(into));
  for (const [currency, { logs, count }] of Object.entries(from)) {
    const known = merged.get(currency) ?? { logs: 0, count: 0 };
    merged.set(currency, { logs: known.logs + logs, count: known.count + count });
  }
  return Object.fromEntries(
    [...merged].sort(([, a], [, b]) => b.count - a.count).slice(0, profileLimits.currencies),
  );
}
