import type { HourTotals } from "../../workers/shared/contracts/totals.ts";

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

/** Hours of a product as they lie in the table: by hour, so that SQLite finds one without the others being read here. */
export const encodeHours = (hours: readonly HourTotals[]): string =>
  JSON.stringify(Object.fromEntries(hours.map((each) => [each.hour, countsOf(each)])));

/** {@link encodeHours} the other way, ascending by hour: names that are whole numbers keep that order. */
export const decodeHours = (body: string): HourTotals[] =>
  Object.entries<Counts>(JSON.parse(body)).map(([hour, counts]) => hourOf(Number(hour), counts));
