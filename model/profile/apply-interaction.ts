import {
  type EventType,
  eventTypes,
  type Interaction,
  type ProductFacts,
} from "../../shared/contracts/event.ts";
import { latLngToCell } from "../../shared/geo/h3/points.ts";
import { localHourOf, localWeekdayOf } from "../../shared/time/local-clock.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import { withCounted } from "./counted-choices.ts";
import {
  type CategoryStats,
  categoryHalfLives,
  currencyKey,
  dismissalWeight,
  type PlaceStats,
  type PricesByCurrency,
  type ProductStats,
  placeHalfLifeDays,
  productPairKey,
  profileLimits,
  type RecentEvent,
  type UserProfile,
} from "./profile.ts";
import { forgetShown } from "./shown-products.ts";

/** H3 resolution of usual places: about 1 km across. */
const placeResolution = 8;

/** Choices before an event from which transitions lead to the event's product. */
const maxTransitionGap = 3;

/** Days of recency that count as much as a factor of e in the number of choices, when a full profile drops an entry. */
const recencyDays = 30;

/**
 * Returns a decayed sum, as of the later of `at` and `time`, after adding `weight` at `time` to `sum` as of `at`. The
 * sum halves every `halfLifeDays`; the order of additions does not matter.
 */
export function addDecayed(
  sum: number,
  at: number,
  time: number,
  halfLifeDays: number,
  weight: number,
): number {
  const factor = (seconds: number): number => 2 ** (-seconds / daySeconds / halfLifeDays);
  return time >= at ? sum * factor(time - at) + weight : sum + weight * factor(at - time);
}

/**
 * Returns the user's last choices up to `time`, oldest first, at most {@link maxTransitionGap}. Item-to-item
 * transitions lead from them to the next choice.
 */
export function choicesBefore(profile: UserProfile, time: number): RecentEvent[] {
  return profile.recent.filter((each) => each.time <= time).slice(-maxTransitionGap);
}

/** Returns whether the profile contains no choice of the product. A dismissal is no choice. */
export const hasNotChosen = (profile: UserProfile, productId: string): boolean =>
  !profile.products.has(productId);

/** Event types by which a user decides for a product. A view may be an accident. */
const deliberateTypes: ReadonlySet<EventType> = new Set(["click", "cart", "purchase"]);

/** Returns whether a user decides for a product by an event of a type. */
export const isDeliberate = (type: EventType): boolean => deliberateTypes.has(type);

/** An interaction, and whether it counts for others (`counts`); absent where nobody counts it. */
export type AppliedInteraction = Interaction & { counts?: boolean };

/** An interaction that changes a profile. A refund does not. */
type ProfiledInteraction = AppliedInteraction & { type: EventType };

const isProfiled = (interaction: AppliedInteraction): interaction is ProfiledInteraction =>
  interaction.type !== "refund";

/**
 * Adds an interaction to a profile, in place. A refund changes nothing. Interactions may come in any order; the caller drops
 * repeated ones. `offsetSeconds` is the offset from UTC of the clocks where the interaction happened.
 */
export function applyInteraction(
  profile: UserProfile,
  interaction: AppliedInteraction,
  offsetSeconds: number,
): void {
  if (!isProfiled(interaction)) return;
  profile.events++;
  forgetShown(profile, interaction.productId, interaction.time);
  if (interaction.type === "dismiss") applyDismissal(profile, interaction);
  else applyChoice(profile, interaction, interaction.time + offsetSeconds);
  const { location: place, time } = interaction;
  if (place && (profile.location === null || time >= profile.location.time))
    profile.location = { lat: place.lat, lon: place.lon, time };
}

/** Adds a dismissal. It counts against its product and category, and in nothing that counts choices. */
function applyDismissal(profile: UserProfile, { productId, time, facts }: Interaction): void {
  const { dismissed } = profile;
  const before = dismissed.get(productId);
  dismissed.set(productId, {
    count: (before?.count ?? 0) + 1,
    last: Math.max(before?.last ?? time, time),
    lastDeliberate: before?.lastDeliberate ?? profile.products.get(productId)?.lastDeliberate ?? null,
  });
  if (dismissed.size > profileLimits.dismissed) dropOldest(dismissed);
  if (facts.category === null) return;
  const stats = categoryStats(profile, facts.category, time);
  stats.dismissals++;
  addToDecayed(stats, time, -dismissalWeight);
}

/** Adds a choice. `localTime` is its time plus the offset of its place from UTC, in seconds. */
function applyChoice(profile: UserProfile, interaction: ProfiledInteraction, localTime: number): void {
  const { type, productId, time, facts } = interaction;
  const before = choicesBefore(profile, time).at(-1);
  const stats = updateProduct(profile, interaction);
  stats.counts[eventTypes.indexOf(type)]++;
  if (interaction.counts) stats.counted = withCounted(stats.counted, type, time);
  stats.first = Math.min(stats.first, time);
  stats.last = Math.max(stats.last, time);
  if (isDeliberate(type)) {
    stats.lastDeliberate = Math.max(stats.lastDeliberate ?? time, time);
    const dismissed = profile.dismissed.get(productId);
    if (dismissed) dismissed.lastDeliberate = Math.max(dismissed.lastDeliberate ?? time, time);
  }
  if (type === "purchase") updatePurchased(profile, productId, time);
  profile.choices++;
  stats.choices++;
  insertTime(stats.times, localTime);
  profile.hours[localHourOf(localTime)]++;
  profile.weekdays[localWeekdayOf(localTime)]++;
  if (before) updateTransition(profile, before.productId, productId, time);
  if (facts.category !== null) updateCategory(profile, facts.category, facts, time, localTime);
  addPrice(profile.prices, facts);
  const at =
    facts.lat !== null && facts.lon !== null ? { lat: facts.lat, lon: facts.lon } : interaction.location;
  // The places of a user's choices tell where the user was.
  if (at && profile.precision !== "none") updatePlace(profile, at.lat, at.lon, time);
  insertRecent(profile, {
    type,
    productId,
    category: facts.category,
    cell: facts.cell,
    lat: facts.lat,
    lon: facts.lon,
    priceMinor: facts.priceMinor,
    currency: facts.currency,
    time,
    localTime,
    recommendationId: interaction.recommendationId,
  });
}

function updatePurchased({ purchased }: UserProfile, productId: string, time: number): void {
  const before = purchased.get(productId) ?? { count: 0, first: time, last: time };
  purchased.set(productId, {
    count: before.count + 1,
    first: Math.min(before.first, time),
    last: Math.max(before.last, time),
  });
  if (purchased.size > profileLimits.purchased) dropOldest(purchased);
}

function updateProduct(profile: UserProfile, { productId, facts, time }: Interaction): ProductStats {
  let stats = profile.products.get(productId);
  if (!stats) {
    if (profile.products.size >= profileLimits.products)
      dropLeastValuable(profile.products, (each) => retentionValue(each.choices, each.last));
    stats = {
      cell: facts.cell,
      category: facts.category,
      lat: facts.lat,
      lon: facts.lon,
      counts: eventTypes.map(() => 0),
      choices: 0,
      first: time,
      last: time,
      lastDeliberate: null,
      times: [],
      transitions: 0,
    };
    profile.products.set(productId, stats);
  } else if (facts.cell !== null) {
    stats.cell = facts.cell;
    stats.category = facts.category;
    stats.lat = facts.lat;
    stats.lon = facts.lon;
  }
  return stats;
}

function updateTransition(profile: UserProfile, from: string, to: string, time: number): void {
  const stats = profile.products.get(from);
  if (stats) stats.transitions++;
  const key = productPairKey(from, to);
  const transition = profile.transitions.get(key);
  if (transition) {
    transition.count++;
    transition.last = Math.max(transition.last, time);
    return;
  }
  if (profile.transitions.size >= profileLimits.transitions)
    dropLeastValuable(profile.transitions, (each) => retentionValue(each.count, each.last));
  profile.transitions.set(key, { count: 1, last: time });
}

function updateCategory(
  profile: UserProfile,
  category: string,
  facts: ProductFacts,
  time: number,
  localTime: number,
): void {
  const stats = categoryStats(profile, category, time);
  stats.choices++;
  addToDecayed(stats, time, 1);
  stats.hours[localHourOf(localTime)]++;
  stats.weekdays[localWeekdayOf(localTime)]++;
  addPrice(stats.prices, facts);
}

/** Adds the price of a choice to the statistics of its currency. A full map drops the currency of the fewest prices. */
function addPrice(prices: PricesByCurrency, { priceMinor, currency }: ProductFacts): void {
  if (priceMinor === null || priceMinor <= 0) return;
  const key = currencyKey(currency);
  const stats = prices[key] ?? { logs: 0, count: 0 };
  prices[key] = { logs: stats.logs + Math.log(priceMinor), count: stats.count + 1 };
  const others = Object.keys(prices).filter((each) => each !== key);
  if (others.length < profileLimits.currencies) return;
  const [rarest] = others.sort((a, b) => prices[a].count - prices[b].count);
  delete prices[rarest];
}

/** Returns the statistics of a category, which are added to the profile if they are missing. */
function categoryStats(profile: UserProfile, category: string, time: number): CategoryStats {
  const known = profile.categories.get(category);
  if (known) return known;
  if (profile.categories.size >= profileLimits.categories)
    dropLeastValuable(profile.categories, (each) => retentionValue(each.choices, each.at));
  const stats: CategoryStats = {
    choices: 0,
    dismissals: 0,
    decayed: categoryHalfLives.map(() => 0),
    at: time,
    hours: new Array<number>(24).fill(0),
    weekdays: new Array<number>(7).fill(0),
    prices: {},
  };
  profile.categories.set(category, stats);
  return stats;
}

/** Adds `weight` at `time` to the decayed sums of a category. */
function addToDecayed(stats: CategoryStats, time: number, weight: number): void {
  const { at } = stats;
  stats.decayed = stats.decayed.map((sum, i) => addDecayed(sum, at, time, categoryHalfLives[i], weight));
  stats.at = Math.max(at, time);
}

function updatePlace(profile: UserProfile, lat: number, lon: number, time: number): void {
  const cell = latLngToCell(lat, lon, placeResolution);
  let stats: PlaceStats | undefined = profile.places.get(cell);
  if (!stats) {
    if (profile.places.size >= profileLimits.places)
      dropLeastValuable(profile.places, (each) => retentionValue(each.choices, each.at));
    stats = { lat, lon, choices: 0, decayed: 0, at: time };
    profile.places.set(cell, stats);
  }
  stats.choices++;
  // Running mean of the locations chosen in the cell.
  stats.lat += (lat - stats.lat) / stats.choices;
  stats.lon += (lon - stats.lon) / stats.choices;
  stats.decayed = addDecayed(stats.decayed, stats.at, time, placeHalfLifeDays, 1);
  stats.at = Math.max(stats.at, time);
}

/** Returns the value of keeping an entry: log frequency plus recency. */
export const retentionValue = (count: number, lastTime: number): number =>
  Math.log1p(count) + lastTime / daySeconds / recencyDays;

/** Drops the entry with the smallest value. */
function dropLeastValuable<V>(map: Map<string, V>, valueOfEntry: (entry: V) => number): void {
  let keyToDrop: string | null = null;
  let smallestValue = Number.POSITIVE_INFINITY;
  for (const [key, entry] of map) {
    const value = valueOfEntry(entry);
    if (value < smallestValue) {
      smallestValue = value;
      keyToDrop = key;
    }
  }
  if (keyToDrop !== null) map.delete(keyToDrop);
}

/** Drops the entry whose newest event is the oldest. */
const dropOldest = <V extends { last: number }>(map: Map<string, V>): void =>
  dropLeastValuable(map, ({ last }) => last);

function insertTime(times: number[], time: number): void {
  let at = times.length;
  while (at > 0 && times[at - 1] > time) at--;
  times.splice(at, 0, time);
  if (times.length > profileLimits.times) times.shift();
}

function insertRecent(profile: UserProfile, event: RecentEvent): void {
  const { recent } = profile;
  let at = recent.length;
  while (at > 0 && recent[at - 1].time > event.time) at--;
  recent.splice(at, 0, event);
  if (recent.length > profileLimits.recent) recent.shift();
}
