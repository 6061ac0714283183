import type { Exploration } from "../../../model/experiments/exploration.ts";
import { pinsAt } from "../../../model/rules/pins.ts";
import type { Rules } from "../../../model/rules/rule.ts";
import type { RecommendationInput } from "../../../shared/contracts/recommendation.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { ProductRef } from "../../../shared/contracts/retrieval.ts";
import type { Explore } from "../../../shared/contracts/rules.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import type { ProductApi } from "../../../shared/services/product-api.ts";
import { loadCardsById } from "./cards.ts";

/** The fields of a request that are rules of its list. */
export type RuleInput = Pick<
  RecommendationInput,
  "boost" | "boosts" | "pins" | "caps" | "collapse" | "objective"
> & {
  limit: number;
  diversity: number;
};

/** Returns the rules of a request whose pages before showed `offset` products. */
export const rulesOf = (
  { limit, boost, boosts, pins, diversity, caps, collapse, objective }: RuleInput,
  offset: number,
): Rules => ({
  ...{ limit, boost, boosts, pins, diversity, collapse, objective },
  ...caps,
  ...(offset === 0 ? {} : { offset }),
});

/**
 * Returns how the list of a request explores: as often as it says, by the settings of the deployment otherwise. A request
 * that does not explore draws no order, if it does not say a share of its own. Pages after `offset` products draw none: the
 * order of a list is that of its first page.
 */
export function explorationOf(
  { drawn, ...settings }: Exploration,
  explore: Explore | undefined,
  offset: number,
): Exploration {
  const share = explore?.drawn ?? (explore?.share === 0 ? 0 : (drawn?.share ?? 0));
  return {
    ...settings,
    ...(explore === undefined ? {} : { rate: explore.share }),
    ...(explore?.when === undefined ? {} : { when: explore.when }),
    ...(share > 0 && offset === 0 ? { drawn: { share, temperature: drawn?.temperature ?? 1 } } : {}),
  };
}

/**
 * Returns the addresses of products that pins name at a time (seconds since the epoch), so that the search considers them
 * wherever they are. Deleted products have none. If the catalog cannot be read, `skipped` says so, and the search may not
 * find products that are not near the user.
 */
export async function pinnedProducts(
  catalog: Pick<ProductApi, "getCards">,
  application: string,
  { pins = [] }: Pick<RuleInput, "pins">,
  now: number,
): Promise<{ named: ProductRef[]; skipped?: string }> {
  const ids = new Set(pinsAt(pins, now).flatMap(({ productId }) => productId ?? []));
  if (ids.size === 0) return { named: [] };
  try {
    // Any known version will do: the address of a product seldom changes.
    const wanted = [...ids].map((productId) => ({ productId, version: 1 }));
    const cards = unwrap(await loadCardsById(catalog, application, wanted), "the product service");
    return { named: [...cards.values()].map(({ id, cell }) => ({ productId: id, cell })) };
  } catch (error) {
    console.error({ event: "pinned products not found", error: errorText(error) });
    return { named: [], skipped: "pins: the catalog failed" };
  }
}
