import { eventTypes } from "../../../shared/contracts/event.ts";
import { hourSeconds } from "../../../shared/time/seconds.ts";
import { noActivity } from "../activity.ts";
import type { CountedChoices } from "../counted-choices.ts";
import type { ProductStats, UserProfile } from "../profile.ts";
import type { StoredProfile } from "./read-profile.ts";

/** The first byte of a profile as JSON: the opening brace. */
export const jsonStart = 0x7b;

/**
 * Returns a profile of version 4 or 5, which were JSON; null for another version. Version 4 had no default consent: a
 * user with settings stated one.
 */
export function readJsonProfile(bytes: Uint8Array): StoredProfile | null {
  const stored = JSON.parse(new TextDecoder().decode(bytes));
  if (stored.version === 4) {
    stored.finestStored = stored.precision === "1km" ? "approximate" : stored.precision;
    stored.statedPrecision = stored.settingsVersion === 0 ? null : stored.finestStored;
  } else if (stored.version !== 5) return null;
  const { version: _, precision: __, products, ...rest } = stored;
  const { dismissed, purchased, categories, places, transitions } = rest;
  return {
    ...rest,
    // The first profiles of version 5 have none.
    unconfirmedLocation: rest.unconfirmedLocation ?? null,
    activity: rest.activity ?? noActivity(),
    // All choices counted before profiles knew their activity.
    products: rest.activity ? new Map(products) : withAllCounted(products),
    dismissed: new Map(dismissed),
    purchased: new Map(purchased),
    shown: new Map(),
    shownUntil: 0,
    categories: new Map(categories),
    places: new Map(places),
    transitions: new Map(transitions),
  };
}

/** Returns products of a profile without activity, in which every choice has counted for others. */
const withAllCounted = (products: [string, ProductStats][]): UserProfile["products"] =>
  new Map(
    products.map(([id, stats]) => {
      const lastHour = Math.floor(stats.last / hourSeconds);
      const counted: CountedChoices = {};
      for (const [i, type] of eventTypes.entries())
        if (stats.counts[i] > 0) counted[type] = [stats.counts[i], lastHour];
      return [id, { ...stats, counted }];
    }),
  );
