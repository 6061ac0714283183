import { ShareCache } from "../../../shared/cache/share-cache.ts";
import type { ProductFacts } from "../../../shared/contracts/event.ts";
import { nearestMinorUnits } from "../../../shared/contracts/minor-units.ts";
import type { ProductCard } from "../../../shared/contracts/product.ts";
import type { ProductApi } from "../../../shared/services/product-api.ts";
import { fetchCards } from "./fetch-cards.ts";

/** Products whose facts an isolate caches. */
const maxCachedFacts = 20_000;
/** Age at which cached facts are fetched again, in seconds: KV itself may return values that are this old. */
const factsTtlSeconds = 60;

const factsOf = (card: ProductCard): ProductFacts => ({
  cell: card.cell,
  lat: card.location?.lat ?? null,
  lon: card.location?.lon ?? null,
  category: card.category,
  priceMinor: card.price === null ? null : nearestMinorUnits(card.price, card.currency),
  currency: card.currency,
});

interface CachedFacts {
  facts: ProductFacts;
  /** Seconds since the Unix epoch. */
  expiresAt: number;
}
const factsCache = new ShareCache<CachedFacts>({ maxSize: maxCachedFacts });

/**
 * Returns the facts of products by product id; unknown products are left out. An isolate fetches the facts of a product
 * at most once a minute, because many events name the same products. Throws if the catalog does not answer.
 */
export async function fetchProductFacts(
  catalog: Pick<ProductApi, "getCards">,
  application: string,
  productIds: Iterable<string>,
  now: number,
): Promise<Map<string, ProductFacts>> {
  const found = new Map<string, ProductFacts>();
  const missing: string[] = [];
  for (const id of new Set(productIds)) {
    const cached = factsCache.get(application, id);
    if (cached && cached.expiresAt > now) found.set(id, cached.facts);
    else missing.push(id);
  }
  for (const card of await fetchCards(catalog, application, missing)) {
    const facts = factsOf(card);
    found.set(card.id, facts);
    factsCache.set(application, card.id, { facts, expiresAt: now + factsTtlSeconds });
  }
  return found;
}
