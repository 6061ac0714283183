import type { EventType } from "../../shared/contracts/event.ts";
import type { Point, Precision } from "../../shared/contracts/primitives.ts";

/**
 * Local times below are seconds on the clock of the place, counted as if it were UTC: hours and weekdays are
 * read from them directly, ages are off by an hour at most twice a year.
 */

/** One of the newest interactions. */
export interface RecentEvent {
  type: EventType;
  productId: string;
  category: string | null;
  cell: string | null;
  lat: number | null;
  lon: number | null;
  price: number | null;
  /** Seconds since the epoch. */
  time: number;
  localTime: number;
  recommendationId: string | null;
}

/** What is remembered of a product that the person dealt with. */
export interface ProductMemory {
  cell: string | null;
  category: string | null;
  lat: number | null;
  lon: number | null;
  /** Interactions by type, in the order of `eventTypes`. */
  counts: number[];
  /** Choices (all but dismissals). */
  choices: number;
  first: number;
  last: number;
  /** Local times of the newest choices, ascending. */
  times: number[];
  /** How often another product was chosen next. */
  next: number;
}

/** What is remembered of a category. */
export interface CategoryMemory {
  choices: number;
  /** Decayed choices at {@link memoryHalfLives}, as of `at`. */
  decayed: number[];
  at: number;
  /** Choices by local hour (24) and weekday (7, Monday first). */
  hours: number[];
  weekdays: number[];
  /** Sum of the logarithms of prices, and how many had one. */
  logPrices: number;
  priced: number;
}

/** A usual place: a cell about 1 km across. */
export interface PlaceMemory {
  lat: number;
  lon: number;
  choices: number;
  decayed: number;
  at: number;
}

/** A step from one product to the next. */
export interface TransitionMemory {
  count: number;
  last: number;
}

/** What a person's object remembers: all that a recommendation knows of them. */
export interface UserProfile {
  /** Interactions of all time. */
  events: number;
  /** Choices (all but dismissals) of all time. */
  choices: number;
  /** Newest last. */
  recent: RecentEvent[];
  products: Map<string, ProductMemory>;
  categories: Map<string, CategoryMemory>;
  places: Map<string, PlaceMemory>;
  /** By `from to`. */
  transitions: Map<string, TransitionMemory>;
  hours: number[];
  weekdays: number[];
  logPrices: number;
  priced: number;
  /** Where they were last, at their precision. */
  location: (Point & { time: number }) | null;
  home: Point | null;
  precision: Precision;
  settingsVersion: number;
}

/** Half-lives of a category's decayed choices, in days. */
export const memoryHalfLives = [3, 30] as const;
/** Half-life of a usual place, in days. */
export const placeHalfLife = 60;

/** How much is remembered at most. */
export const bounds = {
  recent: 50,
  products: 512,
  categories: 128,
  places: 64,
  transitions: 768,
  times: 32,
} as const;

/** Someone of whom nothing is known. */
export const emptyProfile = (): UserProfile => ({
  events: 0,
  choices: 0,
  recent: [],
  products: new Map(),
  categories: new Map(),
  places: new Map(),
  transitions: new Map(),
  hours: new Array<number>(24).fill(0),
  weekdays: new Array<number>(7).fill(0),
  logPrices: 0,
  priced: 0,
  location: null,
  home: null,
  precision: "exact",
  settingsVersion: 0,
});

/** Key of a step; ids hold no space. */
export const transitionKey = (from: string, to: string): string => `${from} ${to}`;

/** Hour (0-23) and weekday (0 Monday - 6 Sunday) of a local time. */
export const hourOf = (localTime: number): number =>
  Math.floor((((localTime % 86_400) + 86_400) % 86_400) / 3600);
export const weekdayOf = (localTime: number): number => (((Math.floor(localTime / 86_400) + 3) % 7) + 7) % 7;
