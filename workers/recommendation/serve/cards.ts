import { ShareCache } from "../../../shared/cache/share-cache.ts";
import type { CardRequest, ProductCard } from "../../../shared/contracts/product.ts";
import { ok, type Result } from "../../../shared/contracts/result.ts";
import type { ProductApi } from "../../../shared/services/product-api.ts";

/** Cards in isolate memory, about 1 kB each. */
const maxCards = 8000;

const cardCache = new ShareCache<ProductCard>({ maxSize: maxCards });

/** Returns a cached card of the requested version or newer. Version 0 means unknown: no cached card is new enough. */
function cachedCard(application: string, { productId, version }: CardRequest): ProductCard | null {
  const card = cardCache.get(application, productId);
  return !card || version === 0 || card.version < version ? null : card;
}

/**
 * Returns the cards of products by product id. A card comes from isolate memory if its version is the tile's or newer,
 * else from the catalog. A product that was deleted after its tile was built has no card.
 */
export async function loadCardsById(
  catalog: Pick<ProductApi, "getCards">,
  application: string,
  wanted: readonly CardRequest[],
): Promise<Result<Map<string, ProductCard>>> {
  const cards = new Map<string, ProductCard>();
  const missing: CardRequest[] = [];
  for (const each of wanted) {
    const card = cachedCard(application, each);
    if (card) cards.set(card.id, card);
    else missing.push(each);
  }
  if (missing.length === 0) return ok(cards);
  const answer = await catalog.getCards(application, missing);
  if (!answer.ok) return answer;
  for (const card of answer.value) {
    cardCache.set(application, card.id, card);
    cards.set(card.id, card);
  }
  return ok(cards);
}
