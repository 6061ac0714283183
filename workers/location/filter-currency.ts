import type { TileSource } from "../../model/retrieval/tile-source.ts";
import { usualCurrency } from "../../model/retrieval/usual-currency.ts";
import { type DecidedFilter, filtersByPrice, type ProductFilter } from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import { countryOf } from "../../shared/geo/country.ts";
import { currencyOfCountry } from "../../shared/money/country-currency.ts";

/** Returns the currency of a place: that of its country, else that of most popular products, else null. */
export const currencyAt = async (tiles: TileSource, point: Point | null): Promise<string | null> =>
  currencyOfCountry(point && countryOf(point)) ?? usualCurrency(tiles);

/** Returns a filter with its currency: the named one, else {@link currencyAt}. A filter without prices needs none. */
export async function decideCurrency(
  tiles: TileSource,
  filter: ProductFilter,
  point: Point | null,
): Promise<DecidedFilter> {
  if (filter.currency !== undefined || !filtersByPrice(filter)) return filter;
  return { ...filter, currency: await currencyAt(tiles, point) };
}
