import { nearestMinorUnits } from "../../shared/contracts/minor-units.ts";
import { emptyTotals, type HourTotals } from "../../shared/contracts/totals.ts";
import { cellUtcOffset } from "../../shared/geo/local-time.ts";
import { hourSeconds } from "../../shared/time/seconds.ts";
import type { NextProduct } from "../columns/columns.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import { buildPyramid } from "../tiles/build-pyramid.ts";
import { type CellProduct, gapWeights } from "../tiles/cell-product.ts";
import { itemAddress } from "./interaction.ts";

/** An event adds a transition from each of this many previous choices of its user. */
const previousChoices = 3;

/**
 * Returns the tile pyramid after some events, as of `time` in seconds since the epoch. The code of the cells builds it,
 * with the same hourly totals and the same transition weights: a user counts once by product, type and hour.
 */
export function tilePyramidAfter(
  dataset: Pick<Dataset, "items">,
  events: readonly DatasetEvent[],
  time: number,
) {
  const hours = new Map<string, Map<number, HourTotals>>();
  const nextProducts = new Map<string, Map<string, number>>();
  const counted = new Set<string>();
  const isNew = (...parts: (string | number)[]): boolean => {
    const { size } = counted;
    return counted.add(JSON.stringify(parts)).size > size;
  };
  const previous = new Map<string, string[]>();
  for (const event of events) {
    const productHours = hours.get(event.itemId) ?? new Map<number, HourTotals>();
    hours.set(event.itemId, productHours);
    const hour = Math.floor(event.time / hourSeconds);
    const counts = productHours.get(hour) ?? { ...emptyTotals(), hour };
    productHours.set(hour, counts);
    if (isNew(event.type, event.userId, event.itemId, hour)) counts[event.type]++;
    if (event.type === "dismiss") continue;
    if (isNew("people", event.userId, event.itemId)) counts.people++;
    if (event.type === "purchase" && isNew("buyers", event.userId, event.itemId)) counts.buyers++;
    const before = previous.get(event.userId) ?? [];
    before.forEach((from, i) => {
      const gap = before.length - i;
      if (from === event.itemId || !isNew(gap, event.userId, from, event.itemId, hour)) return;
      const next = nextProducts.get(from) ?? new Map<string, number>();
      nextProducts.set(from, next);
      next.set(event.itemId, (next.get(event.itemId) ?? 0) + gapWeights[gap]);
    });
    previous.set(event.userId, [...before, event.itemId].slice(-previousChoices));
  }
  const products: CellProduct[] = [];
  for (const item of dataset.items.values()) {
    const cell = itemAddress(item);
    const next: NextProduct[] = [...(nextProducts.get(item.id) ?? [])].flatMap(([productId, weight]) => {
      const to = dataset.items.get(productId);
      return to ? [{ productId, cell: itemAddress(to), weight }] : [];
    });
    products.push({
      cell,
      change: {
        productId: item.id,
        version: 1,
        deleted: false,
        title: item.title,
        category: item.category,
        priceMinor: item.price === null ? null : nearestMinorUnits(item.price, item.currency),
        currency: item.currency,
        discount: item.discount,
        rating: item.rating,
        available: true,
        groupId: item.groupId ?? null,
        location: item.lat === null || item.lon === null ? null : { lat: item.lat, lon: item.lon },
        previousCell: null,
        createdAt: 0,
      },
      hours: [...(hours.get(item.id)?.values() ?? [])].sort((a, b) => a.hour - b.hour),
      nextProducts: next,
    });
  }
  return buildPyramid(products, time, cellUtcOffset);
}
