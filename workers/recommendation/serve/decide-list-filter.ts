import { decideFilter, decideRuleScope, type FilterMoment } from "../../../model/retrieval/decide-filter.ts";
import type { ExpressionScope } from "../../../shared/contracts/expression.ts";
import type { DecidedFilter, ProductFilter } from "../../../shared/contracts/location.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
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

/**
 * Returns a filter with what its test needs, and what `conditions` of rules may know, unless these are null. Returns
 * null, which is logged, if the currency of prices cannot be decided.
 */
export async function decideListExpressions(
  location: Pick<LocationApi, "filterCurrency">,
  application: string,
  filter: ProductFilter,
  conditions: readonly string[] | null,
  moment: FilterMoment,
): Promise<{ filter: DecidedFilter; ruleScope?: ExpressionScope } | null> {
  const currencyOfPlace = async () =>
    unwrap(await location.filterCurrency(application, moment.point), "the location service");
  try {
    const decided = await decideListFilter(location, application, filter, moment);
    if (conditions === null) return { filter: decided };
    return {
      filter: decided,
      ruleScope: await decideRuleScope(conditions, decided, moment, currencyOfPlace),
    };
  } catch (error) {
    console.error({ event: "currency of a filter unknown", error: errorText(error) });
    return null;
  }
}
