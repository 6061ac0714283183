import {
  addTotals,
  countFields,
  emptyTotals,
  type HourTotals,
  hoursOfWeek,
} from "../../shared/contracts/totals.ts";

/** What a cell keeps of when a product was chosen. */
export interface KeptHours {
  /** What was before this hour is added up by the hour of the week, in the first hours of 1970; none of it is known apart. */
  before: number;
  /** Ascending by hour. */
  hours: readonly HourTotals[];
}

/** Hours that are kept apart: a year and more of somebody in every one. Beyond `most`, all but the newest `kept` are added up. */
const most = 10_000;
const kept = 9000;

/** The hour before which nothing is known apart where it is not known either what is missing: later than any. */
export const inDoubt = 2 ** 31;

/** A product of which nothing is known. */
export const noHours: KeptHours = { before: hoursOfWeek, hours: [] };

/** Adds up the oldest hours where there are too many: a row has a bound, and nobody asks when exactly that was. */
export function bounded({ before, hours }: KeptHours): KeptHours {
  if (hours.length <= most) return { before, hours };
  const { hour: cut } = hours[hours.length - kept];
  const sums = new Map<number, HourTotals>();
  for (const each of hours) {
    if (each.hour >= cut) break;
    const hour = each.hour % hoursOfWeek;
    const sum = sums.get(hour) ?? { ...emptyTotals(), hour };
    addTotals(sum, each);
    sums.set(hour, sum);
  }
  const old = [...sums.values()].sort((a, b) => a.hour - b.hour);
  return { before: Math.max(before, cut), hours: [...old, ...hours.slice(-kept)] };
}

/** An hour by its counts, in the order of {@link countFields}. */
export function hourOf(hour: number, counts: readonly number[]): HourTotals {
  const all = { ...emptyTotals(), hour };
  for (const [i, field] of countFields.entries()) all[field] = counts[i];
  return all;
}

/** Hours as they lie in the table: by hour, so that SQLite finds one without the others being read here. */
export const encodeHours = (hours: readonly HourTotals[]): string =>
  JSON.stringify(
    Object.fromEntries(hours.map((each) => [each.hour, countFields.map((field) => each[field])])),
  );

/** {@link encodeHours} the other way, ascending by hour: names that are whole numbers keep that order. */
export const decodeHours = (body: string): HourTotals[] =>
  Object.entries<number[]>(JSON.parse(body)).map(([hour, counts]) => hourOf(Number(hour), counts));
