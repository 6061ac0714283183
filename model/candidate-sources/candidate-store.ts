import type { Places } from "../pipeline/ports.ts";
import { candidates, columnsOf, type Forwards } from "../retrieval/candidates.ts";
import type { TileSource } from "../retrieval/tiles.ts";
import { around } from "./gather-candidates.ts";
import type { Shelves } from "./source.ts";

/** {@link Shelves} over any source of tiles; `clock` tells seconds since the epoch. */
export const shelvesOver = (source: TileSource & Forwards, clock: () => number): Shelves => ({
  candidates: (query) => candidates(source, query),
  columns: (wanted, withNeighbours) => columnsOf(source, wanted, clock(), withNeighbours),
});

/** {@link Places} over shelves in the same process, where nothing has names. */
export const placesFrom = (shelves: Shelves, wait?: (ms: number) => Promise<void>): Places => ({
  around: async (query) => ({ ...(await around(shelves, query, wait)), place: null }),
});

/** Both over a source of tiles in memory: for training and evaluation. */
export function placesOver(source: TileSource & Forwards, clock: () => number): Places & Shelves {
  const shelves = shelvesOver(source, clock);
  return { ...shelves, ...placesFrom(shelves) };
}
