import { decideFilter, type FilterMoment } from "../../../model/retrieval/decide-filter.ts";
import type { DecidedFilter, ProductFilter } from "../../../shared/contracts/location.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";

/**
 * Returns a filter with what its test needs. The currency of prices is the named one, else `own`, else the one of the
 * place (see {@link LocationApi.filterCurrency}). Calls the location service only for a filter that compares prices and
 * has no other currency.
 */
export const decideListFilter = (
  location: Pick<LocationApi, "filterCurrency">,
  application: string,
  filter: ProductFilter,
  moment: FilterMoment,
  own: string | null = null,
): Promise<DecidedFilter> =>
  decideFilter(
    filter,
    moment,
    async () =>
      own ?? unwrap(await location.filterCurrency(application, moment.point), "the location service"),
  );
