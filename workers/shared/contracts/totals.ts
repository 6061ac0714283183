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

const hourFields = ["hour", "view", "click", "cart", "purchase", "dismiss", "people"] as const;

/**
 * Whether a value is a list of hours with a number in each field. By hand, since a product's whole past crosses here
 * with every batch: a schema per field took longer than all else on the way.
 */
function areHours(value: unknown): value is HourTotals[] {
  if (!Array.isArray(value)) return false;
  for (const hour of value) {
    if (typeof hour !== "object" || hour === null) return false;
    for (const field of hourFields) if (!Number.isInteger(hour[field])) return false;
  }
  return true;
}

/**
 * Absolute totals of a product as of `version`: a cell keeps the newest and drops the rest, so
 * neither order nor repetition matters.
 */
export const productTotals = z.object({
  productId: z.string(),
  /** Grows with every change of the product's totals. */
  version: z.number().int(),
  lifetime: totals,
  /** All hours with an interaction, ascending; bounded by retention. */
  hours: z.custom<HourTotals[]>(areHours, "must be hours with their counts"),
});
export type ProductTotals = z.infer<typeof productTotals>;

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
