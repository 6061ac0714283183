import type { ProductFilter } from "../../shared/contracts/location.ts";
import type { Columns } from "../columns/columns.ts";
import { hash32 } from "../columns/hash.ts";

/** Returns whether a row passes a filter. The caller tests the radius. */
export type RowTest = (columns: Columns, row: number) => boolean;

/**
 * Compiles a filter to a test of rows. Price bounds apply to the price after discount; a product without a price passes
 * none.
 */
export function compileFilter(filter: ProductFilter): RowTest {
  const categories = filter.categories ? new Set(filter.categories.map(hash32)) : null;
  const { priceMin, priceMax, discountMin } = filter;
  return (columns, row) => {
    if (!filter.includeUnavailable && columns.available[row] === 0) return false;
    if (categories && !categories.has(columns.categoryHash[row])) return false;
    if (discountMin !== undefined && columns.discount[row] < discountMin) return false;
    if (priceMin === undefined && priceMax === undefined) return true;
    const price = columns.price[row] * (1 - columns.discount[row]);
    return price >= (priceMin ?? 0) && price <= (priceMax ?? Number.POSITIVE_INFINITY);
  };
}
