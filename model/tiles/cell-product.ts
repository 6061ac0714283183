import type { ProductChange } from "../../shared/contracts/product.ts";
import { countChoices, countFields, type HourTotals, sumTotals } from "../../shared/contracts/totals.ts";
import { addressOf } from "../../shared/geo/cells.ts";
import { localHourOf, localWeekdayOf } from "../../shared/time/local-clock.ts";
import { hourSeconds } from "../../shared/time/seconds.ts";
import type { NextProduct } from "../columns/columns.ts";
import type { ColumnsRow } from "../columns/columns-builder.ts";
import { hash53 } from "../columns/hash.ts";
import { columnWidth, maxNextProducts } from "../columns/layout.ts";
import { boundedByPeople, decayedEngagement, engagementOf } from "./engagement.ts";

/** A product as its cell stores it. */
export interface CellProduct {
  change: ProductChange;
  /** The product's address: its finest cell (resolution 9), or a shard of `world` without a location. */
  cell: string;
  /** Interactions by hour, ascending. */
  hours: readonly HourTotals[];
  /** Products that users chose next, in any order. */
  nextProducts: readonly NextProduct[];
}

/** Returns a product's address, from its location and id. */
export const addressOfProduct = ({
  productId,
  location,
}: Pick<ProductChange, "productId" | "location">): string => addressOf(location, hash53(productId));

/** Weight of a transition by its gap: 1 for the choice directly before, 3 for the third last. */
export const gapWeights: Record<number, number> = { 1: 1, 2: 0.5, 3: 0.25 };

/** Returns the engagement of a product by local hour (24) and weekday (7, Monday first). */
export function rhythmOf(
  hours: readonly HourTotals[],
  offsetAt: (time: number) => number,
): { hours: number[]; weekdays: number[] } {
  const byHour = new Array<number>(columnWidth.hours).fill(0);
  const byWeekday = new Array<number>(columnWidth.weekdays).fill(0);
  for (const hour of hours) {
    const time = hour.hour * hourSeconds;
    const localTime = time + offsetAt(time);
    const weight = engagementOf(hour);
    byHour[localHourOf(localTime)] += weight;
    byWeekday[localWeekdayOf(localTime)] += weight;
  }
  return { hours: byHour, weekdays: byWeekday };
}

/** Returns the start of the newest hour with a choice, in seconds since the epoch; 0 if there is none. */
const lastChoiceTime = (hours: readonly HourTotals[]): number =>
  (hours.findLast((each) => countChoices(each) > 0)?.hour ?? 0) * hourSeconds;

/**
 * Returns the row of a product in its cell's tile, as of `time` (seconds since the epoch). `offsetAt` returns the
 * offset of the cell's clocks from UTC in seconds.
 */
export function columnsRowOf(
  product: CellProduct,
  time: number,
  offsetAt: (time: number) => number,
): ColumnsRow {
  const { change, cell, hours } = product;
  const lifetime = sumTotals(hours);
  const rhythm = rhythmOf(hours, offsetAt);
  return {
    productId: change.productId,
    title: change.title,
    category: change.category,
    lat: change.location?.lat ?? null,
    lon: change.location?.lon ?? null,
    version: change.version,
    createdAt: change.createdAt,
    lastTime: lastChoiceTime(hours),
    priceMinor: change.priceMinor,
    currency: change.currency,
    discount: change.discount,
    rating: change.rating,
    available: change.available,
    groupId: change.groupId,
    cell,
    counts: countFields.map((field) => lifetime[field]),
    hot: boundedByPeople(decayedEngagement(hours, time), lifetime),
    hours: rhythm.hours,
    weekdays: rhythm.weekdays,
    nextProducts: strongestNextProducts(product.nextProducts, maxNextProducts),
    optional: change.columns,
  };
}

/** Returns the `max` next products of the largest weight, ties by id. */
export const strongestNextProducts = (nextProducts: readonly NextProduct[], max: number): NextProduct[] =>
  [...nextProducts].sort((a, b) => b.weight - a.weight || (a.productId < b.productId ? -1 : 1)).slice(0, max);
