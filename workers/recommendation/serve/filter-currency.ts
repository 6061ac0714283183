import {
  type DecidedFilter,
  filtersByPrice,
  type ProductFilter,
} from "../../../shared/contracts/location.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";

/**
 * Returns a filter with its currency: the named one, else the one of the place (see {@link
 * LocationApi.filterCurrency}). Calls the location service only for a filter with a price and without a currency.
 */
export async function decideCurrency(
  location: Pick<LocationApi, "filterCurrency">,
  application: string,
  filter: ProductFilter,
  point: Point | null,
): Promise<DecidedFilter> {
  if (filter.currency !== undefined || !filtersByPrice(filter)) return filter;
  return {
    ...filter,
    currency: unwrap(await location.filterCurrency(application, point), "the location service"),
  };
}
