import type { EventType } from "../../../shared/contracts/event.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";
import type { UserActivity } from "../activity.ts";
import type { CountedChoices } from "../counted-choices.ts";
import type {
  CategoryStats,
  PricesByCurrency,
  ProductStats,
  RecentEvent,
  ShownProduct,
  UserProfile,
} from "../profile.ts";
import { ByteReader } from "./byte-reader.ts";

/** The first version that knows what lists showed. */
export const firstVersionWithShown = 7;

/** A profile without the consent that counts, which depends on the default of who reads. */
export type StoredProfile = Omit<UserProfile, "precision">;

/**
 * Returns the profile that `writeProfile` wrote. Properties are read in the order in which the object lists them.
 * Reads the present version and the one before. Throws an error for bytes that are cut off.
 */
export function readProfile(bytes: Uint8Array): StoredProfile {
  const from = new ByteReader(bytes);
  const hasShown = bytes[0] >= firstVersionWithShown;
  const profile: StoredProfile = {
    events: from.number(),
    choices: from.number(),
    recent: readRecent(from),
    products: readMap(from, readProduct),
    dismissed: readMap(from, () => ({
      count: from.number(),
      last: from.number(),
      lastDeliberate: from.numberOrNull(),
    })),
    purchased: readMap(from, () => ({ count: from.number(), first: from.number(), last: from.number() })),
    ...(hasShown ? readShown(from) : { shown: new Map<string, ShownProduct>(), shownUntil: 0 }),
    categories: readMap(from, readCategory),
    places: readMap(from, () => ({
      lat: from.number(),
      lon: from.number(),
      choices: from.number(),
      decayed: from.number(),
      at: from.number(),
    })),
    transitions: readMap(from, () => ({ count: from.number(), last: from.number() })),
    activity: readActivity(from),
    hours: from.numbers(),
    weekdays: from.numbers(),
    prices: readPrices(from),
    location: readLocation(from),
    unconfirmedLocation: readLocation(from),
    home: readPoint(from),
    statedPrecision: from.textOrNull() as Precision | null,
    finestStored: from.text() as Precision,
    settingsVersion: from.number(),
  };
  from.end();
  return profile;
}

/** Returns which products lists showed. */
export const readShown = (from: ByteReader): Pick<UserProfile, "shown" | "shownUntil"> => ({
  shown: readMap(from, () => ({ looks: from.number() / 100, last: from.number() })),
  shownUntil: from.number(),
});

function readMap<V>(from: ByteReader, readValue: (from: ByteReader) => V): Map<string, V> {
  const map = new Map<string, V>();
  for (let left = from.number(); left > 0; left--) map.set(from.text(), readValue(from));
  return map;
}

function readRecent(from: ByteReader): RecentEvent[] {
  const recent: RecentEvent[] = [];
  for (let left = from.number(); left > 0; left--)
    recent.push({
      type: from.text() as EventType,
      productId: from.text(),
      category: from.textOrNull(),
      cell: from.textOrNull(),
      lat: from.numberOrNull(),
      lon: from.numberOrNull(),
      priceMinor: from.numberOrNull(),
      currency: from.textOrNull(),
      time: from.number(),
      localTime: from.number(),
      recommendationId: from.textOrNull(),
    });
  return recent;
}

function readProduct(from: ByteReader): ProductStats {
  const stats: ProductStats = {
    cell: from.textOrNull(),
    category: from.textOrNull(),
    lat: from.numberOrNull(),
    lon: from.numberOrNull(),
    counts: from.numbers(),
    choices: from.number(),
    first: from.number(),
    last: from.number(),
    lastDeliberate: from.numberOrNull(),
    times: from.numbers(),
    transitions: from.number(),
  };
  const types = from.numberOrNull();
  if (types !== null) stats.counted = readCounted(from, types);
  return stats;
}

function readCounted(from: ByteReader, types: number): CountedChoices {
  const counted: CountedChoices = {};
  for (let left = types; left > 0; left--) counted[from.text() as EventType] = [from.number(), from.number()];
  return counted;
}

const readCategory = (from: ByteReader): CategoryStats => ({
  choices: from.number(),
  dismissals: from.number(),
  decayed: from.numbers(),
  at: from.number(),
  hours: from.numbers(),
  weekdays: from.numbers(),
  prices: readPrices(from),
});

function readPrices(from: ByteReader): PricesByCurrency {
  const prices: PricesByCurrency = {};
  for (let left = from.number(); left > 0; left--)
    prices[from.text()] = { logs: from.number(), count: from.number() };
  return prices;
}

const readActivity = (from: ByteReader): UserActivity => ({
  since: from.numberOrNull(),
  days: from.number(),
  lastDay: from.number(),
  hour: from.number(),
  events: from.number(),
  locations: from.number(),
});

function readLocation(from: ByteReader): UserProfile["location"] {
  const lat = from.numberOrNull();
  return lat === null ? null : { lat, lon: from.number(), time: from.number() };
}

function readPoint(from: ByteReader): Point | null {
  const lat = from.numberOrNull();
  return lat === null ? null : { lat, lon: from.number() };
}
