import type { ProductFacts } from "../../../shared/contracts/event.ts";
import { anyVersion, type ProductCard } from "../../../shared/contracts/product.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { ProductApi } from "../../../shared/contracts/services.ts";

/** Cards that the catalogue gives in one call. */
const cardsPerCall = 1000;
/** Facts that an isolate remembers, and for how long: as old may be what KV says anywhere. */
const maxRemembered = 20_000;
const rememberedSeconds = 60;

const factsOf = (card: ProductCard): ProductFacts => ({
  cell: card.cell,
  lat: card.location?.lat ?? null,
  lon: card.location?.lon ?? null,
  category: card.category,
  price: card.price,
});

interface Remembered {
  facts: ProductFacts;
  until: number;
}
/** Oldest first. */
const memory = new Map<string, Remembered>();

function remember(key: string, remembered: Remembered): void {
  memory.delete(key);
  memory.set(key, remembered);
  if (memory.size <= maxRemembered) return;
  const oldest = memory.keys().next().value;
  if (oldest !== undefined) memory.delete(oldest);
}

/**
 * What the catalogue knows of products, by id; those it does not know are left out. Events speak of the same products
 * over and over: what they are is asked at most once a minute. Throws where the catalogue does not answer.
 */
export async function factsFor(
  catalog: Pick<ProductApi, "cards">,
  application: string,
  productIds: Iterable<string>,
  now: number,
): Promise<Map<string, ProductFacts>> {
  const found = new Map<string, ProductFacts>();
  const asked: string[] = [];
  for (const id of new Set(productIds)) {
    const remembered = memory.get(`${application}/${id}`);
    if (remembered && remembered.until > now) found.set(id, remembered.facts);
    else asked.push(id);
  }
  for (let i = 0; i < asked.length; i += cardsPerCall) {
    const cards = unwrap(
      await catalog.cards(application, anyVersion(asked.slice(i, i + cardsPerCall))),
      "the product service",
    );
    for (const card of cards) {
      const facts = factsOf(card);
      found.set(card.id, facts);
      remember(`${application}/${card.id}`, { facts, until: now + rememberedSeconds });
    }
  }
  return found;
}
