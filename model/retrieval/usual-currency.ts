import { worldCell } from "../../shared/geo/cells.ts";
import { currencyOf } from "../columns/columns.ts";
import type { TileSource } from "./tile-source.ts";

/**
 * Returns the currency of most products of the world's tile, which holds the most popular products of each region; null
 * if none of them has a currency. Of equally frequent currencies, the first by code counts.
 */
export async function usualCurrency(source: TileSource): Promise<string | null> {
  const world = await source.tile(worldCell);
  const counts = new Map<string, number>();
  for (let row = 0; world && row < world.count; row++) {
    const currency = currencyOf(world, row);
    if (currency !== null) counts.set(currency, (counts.get(currency) ?? 0) + 1);
  }
  const [first] = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return first ? first[0] : null;
}
