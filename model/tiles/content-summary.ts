import { withAncestors } from "../../shared/contracts/category-path.ts";
import type { DecidedFilter } from "../../shared/contracts/location.ts";
import {
  type Columns,
  type ContentSummary,
  categoryOf,
  currencyOf,
  type PriceRange,
  priceAfterDiscountOf,
} from "../columns/columns.ts";
import { hash53 } from "../columns/hash.ts";
import { optionalColumn, optionalList } from "../columns/optional-values.ts";

/** Bytes of a Bloom filter: with 100 categories, one name in ten that is absent seems present (Bloom, CACM 1970). */
const filterBytes = 64;
/** Bits that each name sets. */
const bitsPerName = 2;

/** Returns the positions of the bits of a name. */
function bitsOf(name: string): number[] {
  const hash = hash53(name);
  const bits = filterBytes * 8;
  return Array.from({ length: bitsPerName }, (_, i) => Math.floor(hash / bits ** i) % bits);
}

/** A Bloom filter of category names. */
class NameFilter {
  readonly #bytes = new Uint8Array(filterBytes);

  add(name: string): void {
    for (const bit of bitsOf(name)) this.#bytes[bit >> 3] |= 1 << (bit & 7);
  }

  addAll(encoded: string): void {
    const bytes = atob(encoded);
    for (let i = 0; i < filterBytes; i++) this.#bytes[i] |= bytes.charCodeAt(i);
  }

  /** Returns the filter as base64. */
  encode(): string {
    return btoa(String.fromCharCode(...this.#bytes));
  }
}

/** Widens the range of prices of a currency so that it contains another range. */
function addPrices(prices: ContentSummary["prices"], currency: string, { min, max }: PriceRange): void {
  const range = prices[currency];
  prices[currency] = range ? { min: Math.min(range.min, min), max: Math.max(range.max, max) } : { min, max };
}

/** Returns the summary of a leaf tile's rows. */
export function summarizeContent(tile: Columns): ContentSummary {
  const filter = new NameFilter();
  const prices: ContentSummary["prices"] = {};
  const seen = new Set<number>();
  const hasMoreCategories = optionalColumn(tile, "moreCategories", "list") !== null;
  const hasSales =
    optionalColumn(tile, "saleFrom", "time") !== null || optionalColumn(tile, "saleUntil", "time") !== null;
  const addCategory = (category: string): void => {
    for (const path of withAncestors(category)) filter.add(path);
  };
  let available = 0;
  let maxDiscount = 0;
  for (let row = 0; row < tile.count; row++) {
    available += tile.available[row];
    maxDiscount = Math.max(maxDiscount, tile.discountMillionths[row]);
    const price = priceAfterDiscountOf(tile, row);
    // A sale may begin or end while the tile stands.
    const max = hasSales ? tile.priceMinor[row] : price;
    if (!Number.isNaN(price)) addPrices(prices, currencyOf(tile, row) ?? "", { min: price, max });
    if (hasMoreCategories) for (const each of optionalList(tile, "moreCategories", row)) addCategory(each);
    if (seen.has(tile.category[row])) continue;
    seen.add(tile.category[row]);
    addCategory(categoryOf(tile, row));
  }
  return { available, categories: filter.encode(), maxDiscount, prices };
}

/** Returns the summary of a cell whose children have these summaries; null if one of them is unknown. */
export function mergeContent(summaries: readonly (ContentSummary | null)[]): ContentSummary | null {
  const filter = new NameFilter();
  const prices: ContentSummary["prices"] = {};
  let available = 0;
  let maxDiscount = 0;
  for (const each of summaries) {
    if (each === null) return null;
    available += each.available;
    maxDiscount = Math.max(maxDiscount, each.maxDiscount);
    filter.addAll(each.categories);
    for (const [currency, range] of Object.entries(each.prices)) addPrices(prices, currency, range);
  }
  return { available, categories: filter.encode(), maxDiscount, prices };
}

/** The bounds of a filter in whole numbers, as rows are compared with them. */
export interface ContentBounds {
  /** Smallest discount, in millionths of the price. */
  minDiscount: number;
  /** Range of prices by currency, in minor units; "" for products without a currency. Null compares no prices. */
  prices: Readonly<Record<string, PriceRange>> | null;
}

/** Compiles a filter to a test of summaries: false only if no product of the cell passes the filter. */
export function compileContentTest(
  { includeUnavailable = false, categories }: DecidedFilter,
  bounds: ContentBounds,
): (summary: ContentSummary) => boolean {
  const bitsOfNames = categories?.map(bitsOf);
  const ranges = bounds.prices && Object.entries(bounds.prices);
  return (summary) => {
    if (!includeUnavailable && summary.available === 0) return false;
    if (summary.maxDiscount < bounds.minDiscount) return false;
    if (ranges && !ranges.some(([currency, range]) => overlaps(summary.prices[currency], range)))
      return false;
    if (!bitsOfNames) return true;
    const filter = atob(summary.categories);
    return bitsOfNames.some((bits) => bits.every((bit) => filter.charCodeAt(bit >> 3) & (1 << (bit & 7))));
  };
}

const overlaps = (prices: PriceRange | undefined, { min, max }: PriceRange): boolean =>
  prices !== undefined && prices.min <= max && prices.max >= min;
