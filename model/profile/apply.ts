import { latLngToCell } from "h3-js";
import { eventTypes, type Interaction } from "../../shared/contracts/event.ts";
import {
  bounds,
  hourOf,
  memoryHalfLives,
  type PlaceMemory,
  type ProductMemory,
  placeHalfLife,
  type RecentEvent,
  transitionKey,
  type UserProfile,
  weekdayOf,
} from "./profile.ts";

const daySeconds = 86_400;
/** H3 resolution of usual places: about 1 km across. */
const placeResolution = 8;

/** Adds `weight` at `time` to a sum that decays by half in `halfLifeDays` and is as of `at`: any order gives the same. */
function addDecayed(sum: number, at: number, time: number, halfLifeDays: number, weight: number): number {
  const factor = (seconds: number): number => 2 ** (-seconds / daySeconds / halfLifeDays);
  return time >= at ? sum * factor(time - at) + weight : sum + weight * factor(at - time);
}

/** The products that the person chose just before `time`, oldest first, at most three: what neighbours are learnt from. */
export function previousChoices(profile: UserProfile, time: number): RecentEvent[] {
  const before = profile.recent.filter((each) => each.type !== "dismiss" && each.time <= time);
  return before.slice(-3);
}

/** Whether the person never dealt with the product, as far as is remembered. */
export const isFirst = (profile: UserProfile, productId: string): boolean => !profile.products.has(productId);

/**
 * Takes an interaction into the person, in place. Late events find their place in time; the caller has dropped
 * repeated ones. `offsetSeconds` is how far the clocks where it happened are ahead of UTC.
 */
export function applyInteraction(
  profile: UserProfile,
  interaction: Interaction,
  offsetSeconds: number,
): void {
  const { type, productId, time, facts } = interaction;
  const localTime = time + offsetSeconds;
  const choice = type !== "dismiss";
  const before = choice ? previousChoices(profile, time).at(-1) : undefined;
  profile.events++;
  const memory = rememberProduct(profile, interaction);
  memory.counts[eventTypes.indexOf(type)]++;
  memory.first = Math.min(memory.first, time);
  memory.last = Math.max(memory.last, time);
  if (choice) {
    profile.choices++;
    memory.choices++;
    insertTime(memory.times, localTime);
    profile.hours[hourOf(localTime)]++;
    profile.weekdays[weekdayOf(localTime)]++;
    if (before) rememberStep(profile, before.productId, productId, time);
    if (facts.category !== null) rememberCategory(profile, facts.category, facts.price, time, localTime);
    if (facts.price !== null && facts.price > 0) {
      profile.logPrices += Math.log(facts.price);
      profile.priced++;
    }
    const at = facts.lat !== null && facts.lon !== null ? { lat: facts.lat, lon: facts.lon } : interaction.at;
    if (at) rememberPlace(profile, at.lat, at.lon, time);
  }
  insertRecent(profile, {
    type,
    productId,
    category: facts.category,
    cell: facts.cell,
    lat: facts.lat,
    lon: facts.lon,
    price: facts.price,
    time,
    localTime,
    recommendationId: interaction.recommendationId,
  });
  const place = interaction.at;
  if (place && (profile.location === null || time >= profile.location.time))
    profile.location = { lat: place.lat, lon: place.lon, time };
}

function rememberProduct(profile: UserProfile, { productId, facts, time }: Interaction): ProductMemory {
  let memory = profile.products.get(productId);
  if (!memory) {
    if (profile.products.size >= bounds.products)
      forget(profile.products, ([, each]) => Math.log1p(each.choices) + each.last / daySeconds / 30);
    memory = {
      cell: facts.cell,
      category: facts.category,
      lat: facts.lat,
      lon: facts.lon,
      counts: eventTypes.map(() => 0),
      choices: 0,
      first: time,
      last: time,
      times: [],
      next: 0,
    };
    profile.products.set(productId, memory);
  } else if (facts.cell !== null) {
    memory.cell = facts.cell;
    memory.category = facts.category;
    memory.lat = facts.lat;
    memory.lon = facts.lon;
  }
  return memory;
}

function rememberStep(profile: UserProfile, from: string, to: string, time: number): void {
  const memory = profile.products.get(from);
  if (memory) memory.next++;
  const key = transitionKey(from, to);
  const step = profile.transitions.get(key);
  if (step) {
    step.count++;
    step.last = Math.max(step.last, time);
    return;
  }
  if (profile.transitions.size >= bounds.transitions)
    forget(profile.transitions, ([, each]) => Math.log1p(each.count) + each.last / daySeconds / 30);
  profile.transitions.set(key, { count: 1, last: time });
}

function rememberCategory(
  profile: UserProfile,
  category: string,
  price: number | null,
  time: number,
  localTime: number,
): void {
  let memory = profile.categories.get(category);
  if (!memory) {
    if (profile.categories.size >= bounds.categories)
      forget(profile.categories, ([, each]) => Math.log1p(each.choices) + each.at / daySeconds / 30);
    memory = {
      choices: 0,
      decayed: memoryHalfLives.map(() => 0),
      at: time,
      hours: new Array<number>(24).fill(0),
      weekdays: new Array<number>(7).fill(0),
      logPrices: 0,
      priced: 0,
    };
    profile.categories.set(category, memory);
  }
  memory.choices++;
  const { at } = memory;
  memory.decayed = memory.decayed.map((sum, i) => addDecayed(sum, at, time, memoryHalfLives[i], 1));
  memory.at = Math.max(at, time);
  memory.hours[hourOf(localTime)]++;
  memory.weekdays[weekdayOf(localTime)]++;
  if (price !== null && price > 0) {
    memory.logPrices += Math.log(price);
    memory.priced++;
  }
}

function rememberPlace(profile: UserProfile, lat: number, lon: number, time: number): void {
  const cell = latLngToCell(lat, lon, placeResolution);
  let memory: PlaceMemory | undefined = profile.places.get(cell);
  if (!memory) {
    if (profile.places.size >= bounds.places)
      forget(profile.places, ([, each]) => Math.log1p(each.choices) + each.at / daySeconds / 30);
    memory = { lat, lon, choices: 0, decayed: 0, at: time };
    profile.places.set(cell, memory);
  }
  memory.choices++;
  // The centre drifts to the mean of what was chosen in the cell.
  memory.lat += (lat - memory.lat) / memory.choices;
  memory.lon += (lon - memory.lon) / memory.choices;
  memory.decayed = addDecayed(memory.decayed, memory.at, time, placeHalfLife, 1);
  memory.at = Math.max(memory.at, time);
}

/** Drops the entry of the least worth. */
function forget<V>(map: Map<string, V>, worth: (entry: [string, V]) => number): void {
  let weakest: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const entry of map) {
    const value = worth(entry);
    if (value < least) {
      least = value;
      weakest = entry[0];
    }
  }
  if (weakest !== null) map.delete(weakest);
}

function insertTime(times: number[], time: number): void {
  let at = times.length;
  while (at > 0 && times[at - 1] > time) at--;
  times.splice(at, 0, time);
  if (times.length > bounds.times) times.shift();
}

function insertRecent(profile: UserProfile, event: RecentEvent): void {
  const { recent } = profile;
  let at = recent.length;
  while (at > 0 && recent[at - 1].time > event.time) at--;
  recent.splice(at, 0, event);
  if (recent.length > bounds.recent) recent.shift();
}
