import {
  addTotals,
  countFields,
  emptyTotals,
  type HourTotals,
  hoursOfWeek,
} from "../../shared/contracts/totals.ts";

/** The interaction counts that a cell stores for one product, by hour. */
export interface StoredHours {
  /**
   * First hour (hours since the epoch) from which each hour is stored exactly. Earlier hours are summed by hour of the
   * week, into the first {@link hoursOfWeek} hours of 1970.
   */
  exactFrom: number;
  /** Ascending by hour. */
  hours: readonly HourTotals[];
}

/** Maximum number of hours that a product stores: more than a year with an interaction in every hour. */
const maxStoredHours = 10_000;
/** Number of hours that stay exact when older ones are rolled up. */
const hoursAfterRollUp = 9000;

/**
 * The `exactFrom` of a product whose hours may be incomplete. The value is later than any real hour, so the cell cannot
 * count an interaction of any hour exactly until it receives all hours of the product.
 */
export const incompleteHours = 2 ** 31;

/** The hours of a product that has no interactions. */
export const emptyHours: StoredHours = { exactFrom: hoursOfWeek, hours: [] };

/**
 * Returns the hours with the oldest ones summed by hour of the week if there are more than {@link maxStoredHours}. A
 * row of the table has a maximum size, and no reader needs the exact hour of old interactions.
 */
export function rollUpOldHours({ exactFrom, hours }: StoredHours): StoredHours {
  if (hours.length <= maxStoredHours) return { exactFrom, hours };
  const { hour: firstExact } = hours[hours.length - hoursAfterRollUp];
  const sums = new Map<number, HourTotals>();
  for (const each of hours) {
    if (each.hour >= firstExact) break;
    const hour = each.hour % hoursOfWeek;
    const sum = sums.get(hour) ?? { ...emptyTotals(), hour };
    addTotals(sum, each);
    sums.set(hour, sum);
  }
  const rolledUp = [...sums.values()].sort((a, b) => a.hour - b.hour);
  return {
    exactFrom: Math.max(exactFrom, firstExact),
    hours: [...rolledUp, ...hours.slice(-hoursAfterRollUp)],
  };
}

/**
 * Returns the totals of an hour from its counts, which are in the order of {@link countFields}. Hours from before a field
 * was added lack its count.
 */
export function hourFromCounts(hour: number, counts: readonly number[]): HourTotals {
  const result = { ...emptyTotals(), hour };
  for (const [i, field] of countFields.entries()) result[field] = counts[i] ?? 0;
  return result;
}

/** Encodes hours as a JSON object with one key per hour, so that SQLite can read one hour without the others. */
export const encodeHours = (hours: readonly HourTotals[]): string =>
  JSON.stringify(
    Object.fromEntries(hours.map((each) => [each.hour, countFields.map((field) => each[field])])),
  );

/**
 * Decodes the output of {@link encodeHours}. The hours are ascending, because JavaScript orders integer keys by value.
 */
export const decodeHours = (body: string): HourTotals[] =>
  Object.entries<number[]>(JSON.parse(body)).map(([hour, counts]) => hourFromCounts(Number(hour), counts));
