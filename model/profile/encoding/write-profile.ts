import type { CountedChoices } from "../counted-choices.ts";
import type { PricesByCurrency, ReadonlyProfile } from "../profile.ts";
import { ByteWriter } from "./byte-writer.ts";

/**
 * Returns a profile as bytes, of which the first is `version`. The consent that counts is not written: it is the stated
 * one or the default of who reads.
 */
export function writeProfile(profile: ReadonlyProfile, version: number): Uint8Array<ArrayBuffer> {
  const to = new ByteWriter();
  to.number(profile.events);
  to.number(profile.choices);
  writeRecent(to, profile.recent);
  writeProducts(to, profile.products);
  writeMap(to, profile.dismissed, ({ count, last, lastDeliberate }) => {
    to.number(count);
    to.number(last);
    to.number(lastDeliberate);
  });
  writeMap(to, profile.purchased, ({ count, first, last }) => {
    to.number(count);
    to.number(first);
    to.number(last);
  });
  writeShown(to, profile);
  writeCategories(to, profile.categories);
  writeMap(to, profile.places, ({ lat, lon, choices, decayed, at }) => {
    to.number(lat);
    to.number(lon);
    to.number(choices);
    to.number(decayed);
    to.number(at);
  });
  writeMap(to, profile.transitions, ({ count, last }) => {
    to.number(count);
    to.number(last);
  });
  writeActivity(to, profile.activity);
  to.numbers(profile.hours);
  to.numbers(profile.weekdays);
  writePrices(to, profile.prices);
  writeLocation(to, profile.location);
  writeLocation(to, profile.unconfirmedLocation);
  to.number(profile.home ? profile.home.lat : null);
  if (profile.home) to.number(profile.home.lon);
  to.text(profile.statedPrecision);
  to.text(profile.finestStored);
  to.number(profile.settingsVersion);
  return to.finish(version);
}

/** Writes which products lists showed. */
export function writeShown(
  to: ByteWriter,
  { shown, shownUntil }: Pick<ReadonlyProfile, "shown" | "shownUntil">,
): void {
  writeMap(to, shown, ({ looks, last }) => {
    to.number(Math.round(looks * 100));
    to.number(last);
  });
  to.number(shownUntil);
}

/** Writes the size of a map, and each key before its value. */
function writeMap<V>(to: ByteWriter, map: ReadonlyMap<string, V>, writeValue: (value: V) => void): void {
  to.number(map.size);
  for (const [key, value] of map) {
    to.text(key);
    writeValue(value);
  }
}

function writeRecent(to: ByteWriter, recent: ReadonlyProfile["recent"]): void {
  to.number(recent.length);
  for (const event of recent) {
    to.text(event.type);
    to.text(event.productId);
    to.text(event.category);
    to.text(event.cell);
    to.number(event.lat);
    to.number(event.lon);
    to.number(event.priceMinor);
    to.text(event.currency);
    to.number(event.time);
    to.number(event.localTime);
    to.text(event.recommendationId);
  }
}

const writeProducts = (to: ByteWriter, products: ReadonlyProfile["products"]): void =>
  writeMap(to, products, (stats) => {
    to.text(stats.cell);
    to.text(stats.category);
    to.number(stats.lat);
    to.number(stats.lon);
    to.numbers(stats.counts);
    to.number(stats.choices);
    to.number(stats.first);
    to.number(stats.last);
    to.number(stats.lastDeliberate);
    to.numbers(stats.times);
    to.number(stats.transitions);
    writeCounted(to, stats.counted);
  });

/** Writes the types by which a user counted, each with its numbers; null if there are none. */
function writeCounted(to: ByteWriter, counted: CountedChoices | undefined): void {
  const entries = counted ? Object.entries(counted) : null;
  to.number(entries ? entries.length : null);
  if (entries === null) return;
  for (const [type, [times, lastHour]] of entries) {
    to.text(type);
    to.number(times);
    to.number(lastHour);
  }
}

const writeCategories = (to: ByteWriter, categories: ReadonlyProfile["categories"]): void =>
  writeMap(to, categories, (stats) => {
    to.number(stats.choices);
    to.number(stats.dismissals);
    to.numbers(stats.decayed);
    to.number(stats.at);
    to.numbers(stats.hours);
    to.numbers(stats.weekdays);
    writePrices(to, stats.prices);
  });

function writePrices(to: ByteWriter, prices: PricesByCurrency): void {
  const entries = Object.entries(prices);
  to.number(entries.length);
  for (const [currency, { logs, count }] of entries) {
    to.text(currency);
    to.number(logs);
    to.number(count);
  }
}

function writeActivity(to: ByteWriter, activity: ReadonlyProfile["activity"]): void {
  to.number(activity.since);
  to.number(activity.days);
  to.number(activity.lastDay);
  to.number(activity.hour);
  to.number(activity.events);
  to.number(activity.locations);
}

/** Writes a location; only null if there is none. */
function writeLocation(to: ByteWriter, location: ReadonlyProfile["location"]): void {
  to.number(location ? location.lat : null);
  if (location === null) return;
  to.number(location.lon);
  to.number(location.time);
}
