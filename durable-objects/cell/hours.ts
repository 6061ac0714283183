import { emptyTotals, type HourTotals, lifetimeOf } from "../../workers/shared/contracts/totals.ts";

/** What a cell keeps of when a product was chosen. */
export interface KeptHours {
  /** What was before this hour is added up by the hour of the week, in the first hours of 1970; none of it is known apart. */
  before: number;
  /** Ascending by hour. */
  hours: readonly HourTotals[];
}

export const hoursOfWeek = 168;
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
    sums.set(hour, { ...lifetimeOf([sums.get(hour) ?? emptyTotals(), each]), hour });
  }
  const old = [...sums.values()].sort((a, b) => a.hour - b.hour);
  return { before: cut, hours: [...old, ...hours.slice(-kept)] };
}

/** Counts of an hour, in the order in which they lie in the table. */
type Counts = [view: number, click: number, cart: number, purchase: number, dismiss: number, people: number];

const countsOf = ({ view, click, cart, purchase, dismiss, people }: HourTotals): Counts => [
  view,
  click,
  cart,
  purchase,
  dismiss,
  people,
];

export const hourOf = (hour: number, [view, click, cart, purchase, dismiss, people]: Counts): HourTotals => ({
  hour,
  view,
  click,
  cart,
  purchase,
  dismiss,
  people,
});

/** Hours as they lie in the table: by hour, so that SQLite finds one without the others being read here. */
export const encodeHours = (hours: readonly HourTotals[]): string =>
  JSON.stringify(Object.fromEntries(hours.map((each) => [each.hour, countsOf(each)])));

/** {@link encodeHours} the other way, ascending by hour: names that are whole numbers keep that order. */
export const decodeHours = (body: string): HourTotals[] =>
  Object.entries<Counts>(JSON.parse(body)).map(([hour, counts]) => hourOf(Number(hour), counts));
