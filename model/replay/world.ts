import type { Interaction, ProductFacts } from "../../shared/contracts/event.ts";
import { emptyTotals, type HourTotals } from "../../shared/contracts/totals.ts";
import { addressOf } from "../../shared/geo/cells.ts";
import { localOffset, offsetsIn } from "../../shared/geo/local-time.ts";
import type { NextProduct } from "../columns/columns.ts";
import { hash53 } from "../columns/hash.ts";
import type { Dataset, DatasetEvent, DatasetItem } from "../data/dataset.ts";
import { buildPyramid } from "../retrieval/build-pyramid.ts";
import { type CellProduct, gapWeights } from "../retrieval/cell-state.ts";

/** The address of a product of a dataset. */
export const cellOfItem = (item: DatasetItem): string =>
  addressOf(
    item.lat === null || item.lon === null ? null : { lat: item.lat, lon: item.lon },
    hash53(item.id),
  );

/** What a live event of the dataset's would carry. */
export function interactionOf(
  event: DatasetEvent,
  items: ReadonlyMap<string, DatasetItem>,
  index: number,
): Interaction {
  const item = items.get(event.itemId);
  const facts: ProductFacts = item
    ? { cell: cellOfItem(item), lat: item.lat, lon: item.lon, category: item.category, price: item.price }
    : { cell: null, lat: null, lon: null, category: null, price: null };
  const at = event.lat !== null && event.lon !== null ? { lat: event.lat, lon: event.lon } : null;
  const place = facts.lat !== null && facts.lon !== null ? { lat: facts.lat, lon: facts.lon } : null;
  return {
    eventId: `e${index}`,
    type: event.type,
    productId: event.itemId,
    time: event.time,
    recommendationId: null,
    at: at ?? place,
    facts,
  };
}

/** How far the clocks where an interaction happened are ahead of UTC. */
export const offsetOf = (interaction: Interaction): number =>
  localOffset(
    interaction.facts.lat ?? interaction.at?.lat ?? null,
    interaction.facts.lon ?? interaction.at?.lon ?? null,
    interaction.time,
  );

/**
 * The pyramid of tiles after some events, as of `time`, built by the code of the cells: the same totals by hour, the
 * same weights of steps.
 */
export function worldAfter(dataset: Pick<Dataset, "items">, events: readonly DatasetEvent[], time: number) {
  const hours = new Map<string, Map<number, HourTotals>>();
  const nextProducts = new Map<string, Map<string, number>>();
  const met = new Set<string>();
  const previous = new Map<string, string[]>();
  for (const event of events) {
    const known = hours.get(event.itemId) ?? new Map<number, HourTotals>();
    hours.set(event.itemId, known);
    const hour = Math.floor(event.time / 3600);
    const counts = known.get(hour) ?? { ...emptyTotals(), hour };
    known.set(hour, counts);
    const pair = `${event.userId} ${event.itemId}`;
    const first = met.has(pair) ? 0 : 1;
    met.add(pair);
    counts[event.type]++;
    counts.people += first;
    if (event.type === "dismiss") continue;
    const before = previous.get(event.userId) ?? [];
    before.forEach((from, i) => {
      if (from === event.itemId) return;
      const next = nextProducts.get(from) ?? new Map<string, number>();
      nextProducts.set(from, next);
      next.set(event.itemId, (next.get(event.itemId) ?? 0) + gapWeights[before.length - i]);
    });
    previous.set(event.userId, [...before, event.itemId].slice(-3));
  }
  const products: CellProduct[] = [];
  for (const item of dataset.items.values()) {
    const cell = cellOfItem(item);
    const next: NextProduct[] = [...(nextProducts.get(item.id) ?? [])].flatMap(([productId, weight]) => {
      const to = dataset.items.get(productId);
      return to ? [{ productId, cell: cellOfItem(to), weight }] : [];
    });
    products.push({
      cell,
      change: {
        productId: item.id,
        version: 1,
        deleted: false,
        title: item.title,
        category: item.category,
        price: item.price,
        currency: item.currency,
        discount: item.discount,
        rating: item.rating,
        available: true,
        location: item.lat === null || item.lon === null ? null : { lat: item.lat, lon: item.lon },
        previousCell: null,
        createdAt: 0,
      },
      hours: [...(hours.get(item.id)?.values() ?? [])].sort((a, b) => a.hour - b.hour),
      nextProducts: next,
    });
  }
  return buildPyramid(products, time, offsetsIn);
}
