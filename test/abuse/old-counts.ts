import type { NextProduct } from "../../model/columns/columns.ts";
import { columnWidth, engagementWeights, hotHalfLives } from "../../model/columns/layout.ts";
import type { ForwardingLookup } from "../../model/retrieval/product-columns.ts";
import type { TileSource } from "../../model/retrieval/tile-source.ts";
import { buildPyramid } from "../../model/tiles/build-pyramid.ts";
import { type CellProduct, gapWeights } from "../../model/tiles/cell-product.ts";
import { boundedByPeople } from "../../model/tiles/engagement.ts";
import { type EventType, eventTypes } from "../../shared/contracts/event.ts";
import { emptyTotals, type HourTotals, sumTotals } from "../../shared/contracts/totals.ts";
import { daySeconds, hourSeconds } from "../../shared/time/seconds.ts";

// The rules of version 0.2, kept as the baseline of the attack table: every event of every user counted, once by user,
// product, type and hour; a dismissal took 2 from the engagement of its hour; a single user's transitions were shown.

/** An event, whoever sent it. `time` is in seconds since the epoch. */
export interface SentEvent {
  userId: string;
  productId: string;
  type: EventType;
  time: number;
}

const oldDismissWeight = -2;

/** Returns the decayed engagement of version 0.2 at each half-life. */
function oldEngagement(hours: readonly HourTotals[], now: number): number[] {
  const hot: number[] = hotHalfLives.map(() => 0);
  for (const hour of hours) {
    const sum = eventTypes.reduce((total, type) => total + hour[type] * engagementWeights[type], 0);
    const engagement = Math.max(0, sum + oldDismissWeight * hour.dismiss);
    const ageDays = Math.max(0, (now - hour.hour * hourSeconds) / daySeconds);
    for (let i = 0; i < hot.length; i++) hot[i] += engagement * 2 ** (-ageDays / hotHalfLives[i]);
  }
  return hot;
}

/** Returns the tiles that version 0.2 would have published after some events, as of `now` in seconds. */
export function oldTiles(
  products: readonly Omit<CellProduct, "hours" | "nextProducts">[],
  events: readonly SentEvent[],
  now: number,
): TileSource & ForwardingLookup {
  const seen = new Set<string>();
  const isNew = (...parts: (string | number)[]): boolean => {
    const { size } = seen;
    return seen.add(JSON.stringify(parts)).size > size;
  };
  const hours = new Map<string, Map<number, HourTotals>>();
  const next = new Map<string, Map<string, number>>();
  const previous = new Map<string, string[]>();
  for (const { userId, productId, type, time } of [...events].sort((a, b) => a.time - b.time)) {
    const hour = Math.floor(time / hourSeconds);
    const ofProduct = hours.get(productId) ?? new Map<number, HourTotals>();
    hours.set(productId, ofProduct);
    const counts = ofProduct.get(hour) ?? { ...emptyTotals(), hour };
    ofProduct.set(hour, counts);
    if (isNew(type, userId, productId, hour)) counts[type]++;
    if (type === "dismiss") continue;
    if (isNew("people", userId, productId)) counts.people++;
    if (type === "purchase" && isNew("buyers", userId, productId)) counts.buyers++;
    const before = previous.get(userId) ?? [];
    before.forEach((from, i) => {
      const gap = before.length - i;
      if (from === productId || !isNew(gap, userId, from, productId, hour)) return;
      const list = next.get(from) ?? new Map<string, number>();
      next.set(from, list.set(productId, (list.get(productId) ?? 0) + (gapWeights[gap] ?? 0)));
    });
    previous.set(userId, [...before, productId].slice(-3));
  }
  const cellOf = new Map(products.map(({ change, cell }) => [change.productId, cell]));
  const counted = products.map((product): CellProduct => {
    const id = product.change.productId;
    const nextProducts = [...(next.get(id) ?? [])].flatMap(([productId, weight]): NextProduct[] => {
      const cell = cellOf.get(productId);
      return cell === undefined ? [] : [{ productId, cell, weight }];
    });
    const sorted = [...(hours.get(id)?.values() ?? [])].sort((a, b) => a.hour - b.hour);
    return { ...product, hours: sorted, nextProducts };
  });
  const hotOf = new Map(
    counted.map(({ change, hours: list }) => [
      change.productId,
      boundedByPeople(oldEngagement(list, now), sumTotals(list)),
    ]),
  );
  const pyramid = buildPyramid(counted, now, () => () => 0);
  return {
    ...pyramid,
    async tile(cell) {
      const tile = await pyramid.tile(cell);
      for (let row = 0; tile && row < tile.count; row++)
        tile.hot.set(hotOf.get(tile.id(row)) ?? [], row * columnWidth.hot);
      return tile;
    },
  };
}
