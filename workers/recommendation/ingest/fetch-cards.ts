import { cardsOfAnyVersion, type ProductCard } from "../../../shared/contracts/product.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { ProductApi } from "../../../shared/services/product-api.ts";

/** Cards that the product service returns in one call. */
const maxCardsPerCall = 1000;

/**
 * Returns the cards of products from the catalog. Unknown products are left out. Throws if the product service refuses.
 */
export async function fetchCards(
  catalog: Pick<ProductApi, "getCards">,
  application: string,
  productIds: readonly string[],
): Promise<ProductCard[]> {
  const cards: ProductCard[] = [];
  for (let i = 0; i < productIds.length; i += maxCardsPerCall) {
    const wanted = cardsOfAnyVersion(productIds.slice(i, i + maxCardsPerCall));
    cards.push(...unwrap(await catalog.getCards(application, wanted), "the product service"));
  }
  return cards;
}
