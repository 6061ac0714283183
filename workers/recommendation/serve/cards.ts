import type { CardRequest, ProductCard } from "../../../shared/contracts/product.ts";
import { ok, type Result } from "../../../shared/contracts/result.ts";
import type { ProductApi } from "../../../shared/contracts/services.ts";

/** Cards that an isolate keeps, about 1 kB each; least recently used leave first. */
const cardsKept = 8000;

const kept = new Map<string, ProductCard>();

const keyOf = (application: string, productId: string): string => `${application}/${productId}`;

/** A card in memory that is no older than wanted. Where no version is known, memory cannot be trusted. */
function remembered(application: string, { productId, version }: CardRequest): ProductCard | null {
  const key = keyOf(application, productId);
  const card = kept.get(key);
  if (!card || version === 0 || card.version < version) return null;
  // Used just now: last to leave.
  kept.delete(key);
  kept.set(key, card);
  return card;
}

function remember(application: string, card: ProductCard): void {
  const key = keyOf(application, card.id);
  kept.delete(key);
  kept.set(key, card);
  if (kept.size <= cardsKept) return;
  const oldest = kept.keys().next().value;
  if (oldest !== undefined) kept.delete(oldest);
}

/**
 * What is shown of products, by id: from isolate memory where it holds the version that the product's tile shows or a
 * newer one, else from the catalogue. A product that was deleted since its tile was made has no card.
 */
export async function cardsOf(
  catalog: Pick<ProductApi, "cards">,
  application: string,
  wanted: readonly CardRequest[],
): Promise<Result<Map<string, ProductCard>>> {
  const cards = new Map<string, ProductCard>();
  const missing: CardRequest[] = [];
  for (const each of wanted) {
    const card = remembered(application, each);
    if (card) cards.set(card.id, card);
    else missing.push(each);
  }
  if (missing.length === 0) return ok(cards);
  const answer = await catalog.cards(application, missing);
  if (!answer.ok) return answer;
  for (const card of answer.value) {
    remember(application, card);
    cards.set(card.id, card);
  }
  return ok(cards);
}
