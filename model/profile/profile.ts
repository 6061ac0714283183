import { usualConsent } from "../../shared/consent/default-consent.ts";
import type { EventType } from "../../shared/contracts/event.ts";
import type { Point, Precision } from "../../shared/contracts/primitives.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import { noActivity, type UserActivity } from "./activity.ts";
import type { CountedChoices } from "./counted-choices.ts";

/** One of the newest choices. */
export interface RecentEvent {
  type: EventType;
  productId: string;
  category: string | null;
  cell: string | null;
  lat: number | null;
  lon: number | null;
  /** In minor units of the currency. */
  priceMinor: number | null;
  currency: string | null;
  /** Seconds since the epoch. */
  time: number;
  /** Seconds since the epoch plus the offset from UTC of the clocks where it happened. */
  localTime: number;
  recommendationId: string | null;
}

/** Statistics of a user's choices of one product. */
export interface ProductStats {
  cell: string | null;
  category: string | null;
  lat: number | null;
  lon: number | null;
  /** Choices by type, in the order of `eventTypes`. Dismissals are in {@link UserProfile.dismissed}. */
  counts: number[];
  /** Choices: all interactions but dismissals. */
  choices: number;
  /** Times of the first and the last choice, in seconds since the epoch. */
  first: number;
  last: number;
  /** Time of the newest click, cart or purchase, in seconds since the epoch; null if there is none. */
  lastDeliberate: number | null;
  /** Local times of the newest choices, ascending. */
  times: number[];
  /** Choices of another product that directly followed a choice of this one. */
  transitions: number;
  /** By which choices the user counted for others; absent if by none. */
  counted?: CountedChoices;
}

/** A product that a user dismissed. */
export interface DismissedProduct {
  /** Dismissals of all time. */
  count: number;
  /** Time of the newest dismissal, in seconds since the epoch. */
  last: number;
  /** Time of the newest click, cart or purchase, in seconds since the epoch; null if none is known. */
  lastDeliberate: number | null;
}

/** A product that a user purchased. */
export interface PurchasedProduct {
  /** Purchases of all time. */
  count: number;
  /** Times of the first and the last purchase, in seconds since the epoch. */
  first: number;
  last: number;
}

/** Looks of a user at a product that they have neither chosen nor dismissed since: see `shown-products.ts`. */
export interface ShownProduct {
  /** Looks, decayed to `last`, in hundredths. */
  looks: number;
  /** When the last look began, in whole seconds since the epoch. */
  last: number;
}

/**
 * Statistics of the list prices of a user's choices, by currency; "" stands for amounts without a currency. Prices of
 * two currencies are never compared.
 */
export type PricesByCurrency = Record<string, PriceStats>;

/** Sum of the logarithms of prices in minor units, and the number of prices. */
export interface PriceStats {
  logs: number;
  count: number;
}

/** Returns the key of a currency in {@link PricesByCurrency}. */
export const currencyKey = (currency: string | null): string => currency ?? "";

/** Statistics of a user's choices and dismissals in one category. */
export interface CategoryStats {
  choices: number;
  dismissals: number;
  /**
   * Choices minus {@link dismissalWeight} times the dismissals, decayed at {@link categoryHalfLives}, as of `at`. The
   * sums are negative for a category that the user rejects.
   */
  decayed: number[];
  /** Time of the newest choice or dismissal, in seconds since the epoch. */
  at: number;
  /** Choices by local hour (24) and weekday (7, Monday first). */
  hours: number[];
  weekdays: number[];
  prices: PricesByCurrency;
}

/** Statistics of a user's choices at one usual place: a cell about 1 km across. */
export interface PlaceStats {
  /** Mean location of the choices in the cell. */
  lat: number;
  lon: number;
  choices: number;
  /** Choices decayed by {@link placeHalfLifeDays}, as of `at`. */
  decayed: number;
  /** Time of the newest choice, in seconds since the epoch. */
  at: number;
}

/** How often, and when last (seconds since the epoch), a user chose one product directly after another. */
export interface TransitionStats {
  count: number;
  last: number;
}

/** All that a recommendation knows about a user. Bounded by {@link profileLimits}. */
export interface UserProfile {
  /** Interactions of all time. */
  events: number;
  /** Choices of all time: all interactions but dismissals. */
  choices: number;
  /** The newest choices, newest last. */
  recent: RecentEvent[];
  /** Products that the user chose, by product id. */
  products: Map<string, ProductStats>;
  /** Products that the user dismissed, by product id. */
  dismissed: Map<string, DismissedProduct>;
  /** Products that the user purchased, by product id. */
  purchased: Map<string, PurchasedProduct>;
  /** Products that lists showed to the user and that they did not choose since, by product id; the newest last. */
  shown: Map<string, ShownProduct>;
  /** Time of the newest list that `shown` includes, in seconds since the epoch; 0 before the first one. */
  shownUntil: number;
  /** By name of the category. */
  categories: Map<string, CategoryStats>;
  /** Usual places, by H3 cell. */
  places: Map<string, PlaceStats>;
  /** By {@link productPairKey}. */
  transitions: Map<string, TransitionStats>;
  /** When, and how much, the user sent. */
  activity: UserActivity;
  /** Choices by local hour (24) and weekday (7, Monday first). */
  hours: number[];
  weekdays: number[];
  prices: PricesByCurrency;
  /** The user's last known location, at their precision. */
  location: (Point & { time: number }) | null;
  /** The newest reported location that was not believed; null if the location after it was believed. */
  unconfirmedLocation: (Point & { time: number }) | null;
  home: Point | null;
  /** The consent that the user stated; null if they stated none. */
  statedPrecision: Precision | null;
  /** The consent that counts: what was stated, else the deployment's default. */
  precision: Precision;
  /** The finest precision at which anything may be stored about the user. */
  finestStored: Precision;
  /** Version of the settings above: it grows with each change of the user's stored profile. */
  settingsVersion: number;
}

/** `T` as its reader sees it who must not change it, because others read it too. */
export type DeepReadonly<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<K, DeepReadonly<V>>
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

/** A profile that several answers read. */
export type ReadonlyProfile = DeepReadonly<UserProfile>;

/**
 * Choices in a category that one dismissal outweighs. Most dismissals follow a view of the same product, which is a
 * choice: together they must count against the category.
 */
export const dismissalWeight = 2;

/** Returns the user's choices in a category minus {@link dismissalWeight} times the dismissals. */
export const netChoices = ({ choices, dismissals }: Pick<CategoryStats, "choices" | "dismissals">): number =>
  choices - dismissalWeight * dismissals;

/** Half-lives of a category's decayed choices, in days. */
export const categoryHalfLives = [3, 30] as const;
/** Half-life of a usual place, in days. */
export const placeHalfLifeDays = 60;

/** Returns the decayed choices at a usual place as of `now` (seconds since the epoch). */
export const placeWeight = ({ decayed, at }: PlaceStats, now: number): number =>
  decayed * 2 ** (-Math.max(0, now - at) / daySeconds / placeHalfLifeDays);

/** Entries that a profile keeps at most; `times` are those of each product. */
export const profileLimits = {
  recent: 50,
  products: 512,
  dismissed: 500,
  purchased: 500,
  shown: 256,
  categories: 128,
  currencies: 8,
  places: 64,
  transitions: 768,
  times: 32,
} as const;

/** Returns the profile of a user without interactions, whose consent is `precision`. */
export const emptyProfile = (precision: Precision = usualConsent): UserProfile => ({
  events: 0,
  choices: 0,
  recent: [],
  products: new Map(),
  dismissed: new Map(),
  purchased: new Map(),
  shown: new Map(),
  shownUntil: 0,
  categories: new Map(),
  places: new Map(),
  transitions: new Map(),
  activity: noActivity(),
  hours: new Array<number>(24).fill(0),
  weekdays: new Array<number>(7).fill(0),
  prices: {},
  location: null,
  unconfirmedLocation: null,
  home: null,
  statedPrecision: null,
  precision,
  finestStored: precision,
  settingsVersion: 0,
});

/** Returns the key of a transition between two products. Ids contain no line end, so the key is unique. */
export const productPairKey = (from: string, to: string): string => `${from}\n${to}`;
