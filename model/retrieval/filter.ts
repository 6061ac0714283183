import { isInCategories } from "../../shared/contracts/category-path.ts";
import type { DecidedFilter } from "../../shared/contracts/location.ts";
import { maxAmount, minorUnitsAtLeast, minorUnitsAtMost } from "../../shared/contracts/minor-units.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { discountMillionths, priceAfterDiscount } from "../../shared/money/discount.ts";
import { type ChildBlock, type Columns, currencyOf, groupIdOf, type PriceRange } from "../columns/columns.ts";
import { compileIsOpen } from "../columns/opening-hours.ts";
import { optionalColumn } from "../columns/optional-values.ts";
import { ProductSet } from "../columns/product-set.ts";
import { compileOnSale, compileWithin } from "../columns/sale.ts";
import type { BoundExpression } from "../expressions/compile-expression.ts";
import { cachedExpression } from "../expressions/expression-cache.ts";
import { expressionErrorText } from "../expressions/expression-error.ts";
import { withAttributes } from "../expressions/optional-fields.ts";
import { userListFields } from "../expressions/standard-fields.ts";
import { compileContentTest } from "../tiles/content-summary.ts";

/** Returns whether a row passes a filter. The caller tests the radius. */
export type RowTest = (columns: Columns, row: number) => boolean;

/**
 * Compiles the test of one block's rows when a search comes to the block; null stands for a test that all rows pass. Most
 * blocks have no optional columns, and then the test costs nothing.
 */
export function byBlock(compile: (columns: Columns) => ((row: number) => boolean) | null): RowTest {
  let block: Columns | null = null;
  let test: ((row: number) => boolean) | null = null;
  return (columns, row) => {
    if (columns !== block) {
      block = columns;
      test = compile(columns);
    }
    return test === null || test(row);
  };
}

/**
 * Compiles a filter to a test of rows at the time `now`, in seconds since the epoch. Price bounds apply to the price after
 * the discount that holds then; a product without a price passes none.
 */
export function compileFilter(filter: DecidedFilter, now: number): RowTest {
  const inCategories = filter.categories ? compileCategories(filter.categories) : null;
  const minDiscount = discountMillionths(filter.discountMin ?? 0);
  const bounds = priceBoundsOf(filter);
  const isOnSale = byBlock((columns) => compileOnSale(columns, now));
  const matchesMoney = bounds && compileMoney(bounds, isOnSale);
  const isInTime = byBlock((columns) => compileWithin(columns, "availableFrom", "availableUntil", now));
  const isOpen = filter.openNow ? byBlock((columns) => compileIsOpen(columns, now)) : null;
  return (columns, row) => {
    if (!filter.includeUnavailable && (columns.available[row] === 0 || !isInTime(columns, row))) return false;
    if (inCategories && !inCategories(columns, row)) return false;
    if (minDiscount > 0 && (columns.discountMillionths[row] < minDiscount || !isOnSale(columns, row)))
      return false;
    if (isOpen && !isOpen(columns, row)) return false;
    return matchesMoney === null || matchesMoney(columns, row);
  };
}

/** The bounds of a filter's prices, in minor units: in its currency, and for products without one. */
interface PriceBounds {
  currency: string | null;
  named: { min: number; max: number };
  unnamed: { min: number; max: number };
  /** Whether the filter has a price; without one, only the currency counts. */
  comparesPrices: boolean;
}

/** Returns the bounds of a filter's prices; null if the filter has neither a price nor a currency. */
function priceBoundsOf({ currency, priceMin, priceMax }: DecidedFilter): PriceBounds | null {
  const comparesPrices = priceMin !== undefined || priceMax !== undefined;
  if (currency === undefined) {
    if (!comparesPrices) return null;
    throw new Error("the currency of a filter with a price must be decided before the filter is compiled");
  }
  const boundsIn = (of: string | null): { min: number; max: number } => ({
    min: priceMin === undefined ? Number.NEGATIVE_INFINITY : minorUnitsAtLeast(priceMin, of),
    max: priceMax === undefined ? Number.POSITIVE_INFINITY : minorUnitsAtMost(priceMax, of),
  });
  return { currency, named: boundsIn(currency), unnamed: boundsIn(null), comparesPrices };
}

/**
 * Compiles the currency and the price bounds of a filter. A row in another currency than the filter's fails. An amount
 * without a currency counts as in the filter's currency, with two digits. Bounds are compared in whole minor units, so a
 * price always matches itself as a bound.
 */
function compileMoney({ currency, named, unnamed, comparesPrices }: PriceBounds, isOnSale: RowTest): RowTest {
  return (columns, row) => {
    const own = currencyOf(columns, row);
    if (own !== null && own !== currency) return false;
    if (!comparesPrices) return true;
    const { min, max } = own === null ? unnamed : named;
    const discount = isOnSale(columns, row) ? columns.discountMillionths[row] : 0;
    const price = priceAfterDiscount(columns.priceMinor[row], discount);
    return price >= min && price <= max;
  };
}

/**
 * Returns the expression of a filter as a test of products, around a point; null for a filter without one. Throws if the
 * expression is wrong: callers refuse it before they search.
 */
function bindExpression(filter: DecidedFilter, point: Point | null): BoundExpression | null {
  const { expression, expressionScope, currency } = filter;
  if (expression === undefined) return null;
  if (expressionScope === undefined)
    throw new Error("the scope of an expression must be decided before the filter is compiled");
  const { attributes = {}, ...scope } = expressionScope;
  const compiled = cachedExpression(expression, withAttributes(userListFields, attributes));
  if (!compiled.ok)
    throw new Error(`a filter has a wrong expression: ${expressionErrorText(compiled.error)}`);
  return compiled.expression.bind({
    ...scope,
    ...(currency === undefined ? {} : { currency }),
    point,
  });
}

/** Compiles the bounds of an expression to a test of the cells that may contain a product that passes it. */
function compileExpressionCellTest(
  { bounds: { price, minDiscount = 0, categories } }: BoundExpression,
  currency: string | null,
): (child: ChildBlock) => boolean {
  const range = (of: string | null): PriceRange => ({
    min: price === undefined || price.min <= 0 ? 0 : minorUnitsAtLeast(Math.min(price.min, maxAmount), of),
    max:
      price === undefined || price.max >= maxAmount
        ? Number.POSITIVE_INFINITY
        : minorUnitsAtMost(Math.max(price.max, -1), of),
  });
  const test = compileContentTest(
    // The filter itself says whether products that are not available match.
    { includeUnavailable: true, ...(categories ? { categories: [...categories] } : {}) },
    {
      minDiscount: discountMillionths(minDiscount),
      prices: price
        ? { "": range(null), ...(currency === null ? {} : { [currency]: range(currency) }) }
        : null,
    },
  );
  return ({ content }) => content === null || test(content);
}

/** Compiles a filter to a test of the cells that may contain a product that passes it. */
function compileCellTest(filter: DecidedFilter): (child: ChildBlock) => boolean {
  const bounds = priceBoundsOf(filter);
  const test = compileContentTest(filter, {
    minDiscount: discountMillionths(filter.discountMin ?? 0),
    prices: bounds?.comparesPrices
      ? { "": bounds.unnamed, ...(bounds.currency === null ? {} : { [bounds.currency]: bounds.named }) }
      : null,
  });
  return ({ content }) => content === null || test(content);
}

/**
 * Compiles categories to a test: whether one of a row's categories is, or is in, one of them. Rows are compared by name:
 * two names may have the same hash.
 */
function compileCategories(names: readonly string[]): RowTest {
  const wanted = new Set(names);
  const isWanted = compileStrings((text) => isInCategories(text, wanted));
  return byBlock((columns) => {
    const indices = isWanted(columns);
    const { category } = columns;
    const more = optionalColumn(columns, "moreCategories", "list");
    if (!more) return (row) => indices.has(category[row]);
    const { starts, items } = more;
    return (row) => {
      if (indices.has(category[row])) return true;
      for (let i = starts[row]; i < starts[row + 1]; i++) if (indices.has(items[i])) return true;
      return false;
    };
  });
}

/** Compiles the names of main categories, which no other category stands for, to a test. */
function compileMainCategories(names: readonly string[]): RowTest {
  const wanted = new Set(names);
  const isWanted = compileStrings((text) => wanted.has(text));
  return byBlock((columns) => {
    const indices = isWanted(columns);
    const { category } = columns;
    return (row) => indices.has(category[row]);
  });
}

/** Returns a function from a block to the indices of the wanted strings in its dictionary, which it remembers. */
function compileStrings(isWanted: (text: string) => boolean): (columns: Columns) => Set<number> {
  const known = new WeakMap<Columns, Set<number>>();
  return (columns) => {
    let indices = known.get(columns);
    if (!indices) {
      indices = new Set();
      const { strings } = columns;
      for (let i = 0; i < strings.length; i++) if (isWanted(strings[i])) indices.add(i);
      known.set(columns, indices);
    }
    return indices;
  };
}

/** Returns the test whether the service of a row's product reaches a point; null if all do. */
function compileReach(columns: Columns, { lat, lon }: Point): ((row: number) => boolean) | null {
  const radii = optionalColumn(columns, "serviceRadiusKm", "number")?.values;
  if (!radii) return null;
  return (row) => {
    // Without a location of the product, the distance is NaN and no service ends.
    return (
      Number.isNaN(radii[row]) || !(distanceKm(lat, lon, columns.lat[row], columns.lon[row]) > radii[row])
    );
  };
}

/** The test of a query for products: of rows, and of cells that may contain a row that passes. */
export interface ProductTest {
  row: RowTest;
  mayContain(child: ChildBlock): boolean;
  /** Radius in km around the point of the query within which all rows that pass are; infinity for no limit. */
  radiusKm: number;
}

/** The part of a query that says which products match. */
export interface ProductQuery {
  /** Where the user is; products whose service does not reach there do not match. Null if unknown: all reach. */
  point: Point | null;
  filter: DecidedFilter;
  /** Time of the query, in seconds since the epoch. */
  now: number;
  /** Products to leave out. */
  exclude?: readonly string[];
  /** Categories to leave out. */
  excludeCategories?: readonly string[];
  /** Groups of variants to leave out. */
  excludeGroups?: readonly string[];
}

/** Returns a test that a row passes if it passes all `tests`. It runs for every row of a search. */
function passesAll(tests: readonly RowTest[]): RowTest {
  if (tests.length === 1) return tests[0];
  return (columns, row) => {
    for (let i = 0; i < tests.length; i++) if (!tests[i](columns, row)) return false;
    return true;
  };
}

/**
 * Compiles the one rule of which products a list may contain: the filter with its radius, and the exclusions. Every list
 * tests its rows with it while it searches, so that a list is short only if there are no more products.
 */
export function compileProductTest({
  point,
  filter,
  now,
  exclude = [],
  excludeCategories = [],
  excludeGroups = [],
}: ProductQuery): ProductTest {
  const tests = [compileFilter(filter, now)];
  const excluded = new ProductSet(exclude);
  if (!excluded.isEmpty) tests.push((columns, row) => !excluded.has(columns, row));
  if (excludeCategories.length > 0) {
    const inCategories = compileMainCategories(excludeCategories);
    tests.push((columns, row) => !inCategories(columns, row));
  }
  if (excludeGroups.length > 0) {
    const groups = new Set(excludeGroups);
    tests.push((columns, row) => {
      const group = groupIdOf(columns, row);
      return group === null || !groups.has(group);
    });
  }
  const { radiusKm = Number.POSITIVE_INFINITY } = filter;
  if (point) tests.push(byBlock((columns) => compileReach(columns, point)));
  if (point && radiusKm < Number.POSITIVE_INFINITY)
    tests.push(
      (columns, row) => distanceKm(point.lat, point.lon, columns.lat[row], columns.lon[row]) <= radiusKm,
    );
  const expression = bindExpression(filter, point);
  const mayPassFilter = compileCellTest(filter);
  if (!expression) return { row: passesAll(tests), mayContain: mayPassFilter, radiusKm };
  tests.push(expression.test);
  const currency = filter.currency ?? filter.expressionScope?.currency ?? null;
  const mayPassExpression = compileExpressionCellTest(expression, currency);
  return {
    row: passesAll(tests),
    mayContain: (child) => mayPassFilter(child) && mayPassExpression(child),
    radiusKm: Math.min(radiusKm, expression.bounds.maxDistanceKm ?? Number.POSITIVE_INFINITY),
  };
}
