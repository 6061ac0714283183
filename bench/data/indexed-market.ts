import type { CandidateStore } from "../../model/candidate-sources/candidate-store.ts";
import { inProcessCandidates } from "../../model/candidate-sources/in-process-candidates.ts";
import type { Columns } from "../../model/columns/columns.ts";
import type { CandidateService } from "../../model/pipeline/ports.ts";
import { Replay } from "../../model/replay/replay.ts";
import { tilePyramidAfter } from "../../model/replay/tile-pyramid.ts";
import type { ForwardingLookup } from "../../model/retrieval/product-columns.ts";
import type { TileSource } from "../../model/retrieval/tile-source.ts";
import { worldCell } from "../../shared/geo/cells.ts";
import { type GeneratedMarket, generateMarket } from "./generated-market.ts";

/** Fixed time of the market, so that each run has the same data. Seconds since the Unix epoch. */
const now = Date.UTC(2026, 0, 5, 12) / 1000;

/** A generated market with its index in memory: the tiles of all cells and the profiles of all users. */
export interface IndexedMarket extends GeneratedMarket {
  tiles: TileSource & ForwardingLookup;
  candidateService: CandidateService & CandidateStore;
  replay: Replay;
  /** Seconds since the Unix epoch, after the last event. */
  now: number;
}

/** Generates a market with a number of products, and builds its index. */
export function buildIndexedMarket(products: number): IndexedMarket {
  const market = generateMarket(products, now);
  const { items, train: events } = market.dataset;
  const tiles = tilePyramidAfter(market.dataset, events, now);
  const candidateService = inProcessCandidates(tiles, () => now);
  const replay = new Replay(items, candidateService);
  for (const event of events) replay.applyEvent(event);
  return { ...market, tiles, candidateService, replay, now };
}

/** Returns all leaf tiles, found by descending from the world's tile. */
export async function leafTiles(tiles: TileSource): Promise<Columns[]> {
  const leaves: Columns[] = [];
  const pending = [worldCell];
  for (let cell = pending.pop(); cell !== undefined; cell = pending.pop()) {
    const tile = await tiles.tile(cell);
    if (!tile) continue;
    if (tile.meta.children.length === 0) leaves.push(tile);
    else pending.push(...tile.meta.children.map((child) => child.cell));
  }
  return leaves;
}
