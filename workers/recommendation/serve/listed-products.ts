import { decodeColumns } from "../../../model/columns/columns.ts";
import { ColumnsBuilder } from "../../../model/columns/columns-builder.ts";
import { columnWidth } from "../../../model/columns/layout.ts";
import type { RowTest } from "../../../model/retrieval/filter.ts";
import { nearestMinorUnits } from "../../../shared/contracts/minor-units.ts";
import type { CardRequest, ProductCard } from "../../../shared/contracts/product.ts";
import { ok, type Result } from "../../../shared/contracts/result.ts";
import type { ProductApi } from "../../../shared/services/product-api.ts";
import { loadCardsById } from "./cards.ts";

/** The card of a listed product. No answer shows its address, and columns of candidates do not hold it. */
export type ListedCard = Omit<ProductCard, "cell"> & Partial<Pick<ProductCard, "cell">>;

/** A ranked product with its card. */
export interface ListedProduct<R> {
  ranked: R;
  card: ListedCard;
}

/** Products in the order of their rank. */
export interface Ranking<R> {
  items: readonly R[];
  /** Returns the products that follow the items; absent if none follow. Called if too few of the items are listed. */
  spare?(): readonly R[];
}

/**
 * Returns the first `limit` products of a ranking that may be listed, with their cards, and up to `others` that follow.
 * A product whose card is newer than its tile is tested again by `test`, the rule of the query, and a deleted product has
 * no card: the next ones of the ranking take their places. Of a group of variants it lists the first, unless
 * `showsVariants`. The cards of the others come with those of the list: fewer than `others` follow if some of them may not be listed.
 */
export async function listProducts<R extends CardRequest & { createdAt: number }>(
  catalog: Pick<ProductApi, "getCards">,
  application: string,
  { items, spare }: Ranking<R>,
  limit: number,
  test: RowTest,
  others = 0,
  showsVariants = false,
): Promise<Result<ListedProduct<R>[]>> {
  const listed: ListedProduct<R>[] = [];
  const groups = new Set<string>();
  let ranking = others > 0 && spare ? [...items, ...spare()] : items;
  // Each further call asks for twice as many cards: few calls, however many products of the ranking are gone.
  for (let at = 0, wanted = limit + others; listed.length < limit; wanted *= 2) {
    if (at === items.length && ranking === items && spare) ranking = [...items, ...spare()];
    if (at >= ranking.length) break;
    const next = ranking.slice(at, at + wanted);
    at += next.length;
    const cards = await loadCardsById(catalog, application, next);
    if (!cards.ok) return cards;
    for (const ranked of next) {
      if (listed.length >= limit + others) break;
      const card = cards.value.get(ranked.productId);
      if (!card || !(card.version === ranked.version || passesTest(card, ranked.createdAt, test))) continue;
      if (card.groupId !== null && groups.has(card.groupId)) continue;
      if (card.groupId !== null && !showsVariants) groups.add(card.groupId);
      listed.push({ ranked, card });
    }
  }
  return ok(listed);
}

/**
 * Returns whether the product of a card passes the rule of a query. `createdAt` (seconds since the epoch) is not on the
 * card, and never changes.
 */
function passesTest(card: ProductCard, createdAt: number, test: RowTest): boolean {
  const builder = new ColumnsBuilder(1);
  builder.addRow({
    productId: card.id,
    title: card.title,
    category: card.category,
    lat: card.location?.lat ?? null,
    lon: card.location?.lon ?? null,
    version: card.version,
    createdAt,
    lastTime: 0,
    priceMinor: card.price === null ? null : nearestMinorUnits(card.price, card.currency),
    currency: card.currency,
    discount: card.discount,
    rating: card.rating,
    available: card.available,
    groupId: card.groupId,
    cell: card.cell,
    counts: new Array<number>(columnWidth.counts).fill(0),
    hot: new Array<number>(columnWidth.hot).fill(0),
    hours: [],
    weekdays: [],
    nextProducts: [],
    optional: card.columns,
  });
  const block = decodeColumns(builder.finish({ cell: card.cell, version: 1, time: 0, children: [] }));
  return block !== null && test(block, 0);
}
