import { z } from "zod";

/** Lifetime counts of a product's interactions, and of the people behind them. */
export const totals = z.object({
  view: z.number().int(),
  click: z.number().int(),
  cart: z.number().int(),
  purchase: z.number().int(),
  dismiss: z.number().int(),
  people: z.number().int(),
});
export type Totals = z.infer<typeof totals>;

export const emptyTotals = (): Totals => ({ view: 0, click: 0, cart: 0, purchase: 0, dismiss: 0, people: 0 });

/** Counts of one UTC hour. */
export const hourTotals = totals.extend({
  /** Whole hours since the epoch, UTC. */
  hour: z.number().int(),
});
export type HourTotals = z.infer<typeof hourTotals>;

/** What is counted, in the order in which it is stored. */
export const countFields = ["view", "click", "cart", "purchase", "dismiss", "people"] as const;

/**
 * Hours that are old are added up by the hour of the week, which is all that is asked of them, in so many first hours of 1970; the
 * first of a week is Thursday, 00:00 UTC.
 */
export const hoursOfWeek = 168;

/**
 * Whether a value is a list of hours with a number in each field. By hand, since a product's whole past may cross here: a
 * schema per field took longer than all else on the way.
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

/** Hours with their counts, each once, ascending. */
export const hourList = z.custom<HourTotals[]>(isHourList, "must be hours with their counts");

/**
 * Absolute counts of a product in some hours. An hour only grows: of two that are told, a cell keeps the one that counts
 * more, so neither order nor repetition matters, and what an event costs does not depend on the product's past.
 */
export const productTotals = z.object({
  productId: z.string(),
  /** Whether these are all hours with an interaction (bounded by retention), and not only those that changed. */
  whole: z.boolean(),
  hours: hourList,
});
export type ProductTotals = z.infer<typeof productTotals>;

/** A product, and its address, of which a cell knows nothing: it must be told all hours. */
export interface UnknownProduct {
  productId: string;
  cell: string;
}

/** Interactions of all types. */
export const countInteractions = ({ view, click, cart, purchase, dismiss }: Totals): number =>
  view + click + cart + purchase + dismiss;

/** Adds counts to others, in place. */
export function addTotals(to: Totals, from: Totals): void {
  for (const field of countFields) to[field] += from[field];
}

/** The sum of hours. */
export function sumTotals(hours: readonly Totals[]): Totals {
  const sum = emptyTotals();
  for (const hour of hours) addTotals(sum, hour);
  return sum;
}

/** Of each hour the count that is larger, ascending: whatever was told later. */
export function mergeHours(known: readonly HourTotals[], reported: readonly HourTotals[]): HourTotals[] {
  const hours = new Map(known.map((each) => [each.hour, each]));
  for (const each of reported) {
    const before = hours.get(each.hour);
    if (!before || countInteractions(each) > countInteractions(before)) hours.set(each.hour, each);
  }
  return [...hours.values()].sort((a, b) => a.hour - b.hour);
}

/** A step from one product to the next by one person: what neighbours are learnt from. */
export const transition = z.object({
  /** A hash of person and event, so that a repeated message counts once; the steps of an event to one cell come together. */
  key: z.number().int().nonnegative(),
  from: z.string(),
  to: z.string(),
  /** Leaf cell of `to`, so that a reader can fetch its columns. */
  toCell: z.string().nullable(),
  /** Steps between them: 1 is directly after. */
  gap: z.number().int().min(1).max(3),
  /** Of the event, seconds since the epoch. */
  time: z.number(),
});
export type Transition = z.infer<typeof transition>;
