import * as z from "zod";

/**
 * Lifetime counts of a product. Of each type, a user counts once in each UTC hour, however often they view or buy the
 * product in it. `people` are the users with at least one choice, `buyers` those with at least one purchase.
 */
export const totals = z.object({
  view: z.number().int(),
  click: z.number().int(),
  cart: z.number().int(),
  purchase: z.number().int(),
  dismiss: z.number().int(),
  people: z.number().int(),
  buyers: z.number().int(),
});
export type Totals = z.infer<typeof totals>;

/** Returns totals of zero. */
export const emptyTotals = (): Totals => ({
  view: 0,
  click: 0,
  cart: 0,
  purchase: 0,
  dismiss: 0,
  people: 0,
  buyers: 0,
});

/** Counts of a product in one UTC hour. */
export const hourTotals = totals.extend({
  /** Whole hours since the epoch, UTC. */
  hour: z.number().int(),
});
export type HourTotals = z.infer<typeof hourTotals>;

/** The counts of {@link totals}, in the order in which they are stored. */
export const countFields = ["view", "click", "cart", "purchase", "dismiss", "people", "buyers"] as const;

/**
 * Number of hours in a week. Retention adds old hours up by hour of the week and stores the sums as hours 0 to 167
 * since the epoch. Hour 0 is Thursday, 00:00 UTC.
 */
export const hoursOfWeek = 168;

/**
 * Returns whether a value is a list of hours with an integer in each field. The check is written by hand, because a
 * list may hold a product's complete history: a zod schema of each field was the slowest part of the call.
 */
function isHourList(value: unknown): value is HourTotals[] {
  if (!Array.isArray(value)) return false;
  for (const hour of value) {
    if (typeof hour !== "object" || hour === null) return false;
    if (!Number.isInteger(hour.hour)) return false;
    for (const field of countFields) if (!Number.isInteger(hour[field])) return false;
  }
  return true;
}

/** A list of hours with their counts, ascending, each hour once. */
export const hourList = z.custom<HourTotals[]>(
  isHourList,
  "must be a list of hours, each with an integer in every count",
);

/**
 * Absolute counts of a product in some hours. The counts of an hour only grow, so a cell keeps the larger of two
 * reports: messages may repeat and arrive in any order. An event sends only the hours that it changed, so its cost does
 * not depend on the product's history.
 */
export const productTotals = z.object({
  productId: z.string(),
  /** True if `hours` holds every hour with an interaction (within retention); false if it holds changed hours only. */
  complete: z.boolean(),
  hours: hourList,
});
export type ProductTotals = z.infer<typeof productTotals>;

/** A product (with its address) for which a cell has no counts, so that the cell needs the product's complete hours. */
export interface UnknownProduct {
  productId: string;
  cell: string;
}

/** Returns the number of choices: all counted interactions but dismissals. */
export const countChoices = ({ view, click, cart, purchase }: Totals): number =>
  view + click + cart + purchase;

/** Returns the sum of all counts. Each count only grows, so of two reports of an hour the larger sum is the newer. */
export function sumOfCounts(totals: Totals): number {
  let sum = 0;
  for (const field of countFields) sum += totals[field];
  return sum;
}

/** Adds `from` to `to`, in place. */
export function addTotals(to: Totals, from: Totals): void {
  for (const field of countFields) to[field] += from[field];
}

/** Returns the sum of the counts. */
export function sumTotals(hours: readonly Totals[]): Totals {
  const sum = emptyTotals();
  for (const hour of hours) addTotals(sum, hour);
  return sum;
}

/** Merges two lists of hours, ascending. Of two reports of the same hour, the one with the larger counts wins. */
export function mergeHours(known: readonly HourTotals[], reported: readonly HourTotals[]): HourTotals[] {
  const hours = new Map(known.map((each) => [each.hour, each]));
  for (const each of reported) {
    const before = hours.get(each.hour);
    if (!before || sumOfCounts(each) > sumOfCounts(before)) hours.set(each.hour, each);
  }
  return [...hours.values()].sort((a, b) => a.hour - b.hour);
}

/** An item-to-item transition: one user chose product `from` and, within three choices, product `to`. */
export const transition = z.object({
  /**
   * Hash of the user's name in the cells, both products, the gap and the UTC hour, so that a user counts once in an hour and a
   * repeated message changes nothing.
   */
  key: z.number().int().nonnegative(),
  /** Short hash of the user's name in the cells and both products, by which a cell counts the users of a transition. */
  user: z.number().int().nonnegative(),
  from: z.string(),
  to: z.string(),
  /** Address of `to`, by which a reader finds its columns; null if unknown. */
  toCell: z.string().nullable(),
  /** Number of choices from `from` to `to`: 1 means that `to` directly follows `from`. */
  gap: z.number().int().min(1).max(3),
  /** Start of the UTC hour of the event, in seconds since the epoch. */
  time: z.number(),
});
export type Transition = z.infer<typeof transition>;
