import { isFiner } from "../../shared/consent/levels.ts";
import { eventTypes } from "../../shared/contracts/event.ts";
import type { Precision } from "../../shared/contracts/primitives.ts";
import { hourSeconds } from "../../shared/time/seconds.ts";
import { noActivity } from "./activity.ts";
import type { CountedChoices } from "./counted-choices.ts";
import { emptyProfile, type ProductStats, type UserProfile } from "./profile.ts";

/** Version of the encoding. Increase it with every change after which older bytes cannot be decoded. */
const version = 5;

/** Encodes a profile for the storage of the user's Durable Object and for RPC. */
export function encodeProfile(profile: UserProfile): Uint8Array {
  const { products, dismissed, purchased, categories, places, transitions, ...rest } = profile;
  return new TextEncoder().encode(
    JSON.stringify({
      version,
      ...rest,
      products: [...products],
      dismissed: [...dismissed],
      purchased: [...purchased],
      categories: [...categories],
      places: [...places],
      transitions: [...transitions],
    }),
  );
}

/**
 * Decodes the bytes of {@link encodeProfile}; no bytes decode to an empty profile. The consent that counts is the stated
 * one, else `defaultConsent`. Bytes of version 4, which had no default, are read too, so that no stated consent is lost. Bytes of another version
 * decode to an empty profile.
 */
export function decodeProfile(bytes: Uint8Array, defaultConsent: Precision): UserProfile {
  if (bytes.byteLength === 0) return emptyProfile(defaultConsent);
  const stored = JSON.parse(new TextDecoder().decode(bytes));
  if (stored.version === 4) {
    stored.finestStored = stored.precision === "1km" ? "approximate" : stored.precision;
    stored.statedPrecision = stored.settingsVersion === 0 ? null : stored.finestStored;
  } else if (stored.version !== version) return emptyProfile(defaultConsent);
  const precision: Precision = stored.statedPrecision ?? defaultConsent;
  const { version: _, products, dismissed, purchased, categories, places, transitions, ...rest } = stored;
  return {
    ...rest,
    precision,
    // A default that has become finer allows finer data from now on.
    finestStored: isFiner(precision, rest.finestStored) ? precision : rest.finestStored,
    // Profiles of earlier versions have none.
    unconfirmedLocation: rest.unconfirmedLocation ?? null,
    activity: rest.activity ?? noActivity(),
    // All choices counted before profiles knew their activity.
    products: rest.activity ? new Map(products) : withAllCounted(products),
    dismissed: new Map(dismissed),
    purchased: new Map(purchased),
    categories: new Map(categories),
    places: new Map(places),
    transitions: new Map(transitions),
  };
}

/** Returns products of a profile of an earlier version, in which every choice has counted for others. */
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
