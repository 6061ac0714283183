import type { DecidedFilter } from "../../shared/contracts/location.ts";
import { discountMillionths } from "../../shared/money/discount.ts";
import { minorUnitsAtLeast, minorUnitsAtMost } from "../../shared/money/minor-units.ts";
import { type Columns, currencyOf, priceAfterDiscountOf } from "../columns/columns.ts";
import { hash32 } from "../columns/hash.ts";

/** Returns whether a row passes a filter. The caller tests the radius. */
export type RowTest = (columns: Columns, row: number) => boolean;

/**
 * Compiles a filter to a test of rows. Price bounds apply to the price after discount; a product without a price passes
 * none.
 */
export function compileFilter(filter: DecidedFilter): RowTest {
  const categories = filter.categories ? new Set(filter.categories.map(hash32)) : null;
  const minDiscount = discountMillionths(filter.discountMin ?? 0);
  const matchesMoney = compileMoney(filter);
  return (columns, row) => {
    if (!filter.includeUnavailable && columns.available[row] === 0) return false;
    if (categories && !categories.has(columns.categoryHash[row])) return false;
    if (columns.discountMillionths[row] < minDiscount) return false;
    return matchesMoney === null || matchesMoney(columns, row);
  };
}

/**
 * Compiles the currency and the price bounds of a filter; null if it has none. A row in another currency than the
 * filter's fails. An amount without a currency counts as in the filter's currency, with two digits. Bounds are compared
 * in whole minor units, so a price always matches itself as a bound.
 */
function compileMoney({ currency, priceMin, priceMax }: DecidedFilter): RowTest | null {
  if (currency === undefined) {
    if (priceMin === undefined && priceMax === undefined) return null;
    throw new Error("the currency of a filter with a price must be decided before the filter is compiled");
  }
  const boundsIn = (of: string | null): { min: number; max: number } => ({
    min: priceMin === undefined ? Number.NEGATIVE_INFINITY : minorUnitsAtLeast(priceMin, of),
    max: priceMax === undefined ? Number.POSITIVE_INFINITY : minorUnitsAtMost(priceMax, of),
  });
  const named = boundsIn(currency);
  const unnamed = boundsIn(null);
  const comparesPrices = priceMin !== undefined || priceMax !== undefined;
  return (columns, row) => {
    const own = currencyOf(columns, row);
    if (own !== null && own !== currency) return false;
    if (!comparesPrices) return true;
    const { min, max } = own === null ? unnamed : named;
    const price = priceAfterDiscountOf(columns, row);
    return price >= min && price <= max;
  };
}
