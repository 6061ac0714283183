import type { CandidateStore } from "../../model/candidate-sources/candidate-source.ts";
import { inProcessCandidates } from "../../model/candidate-sources/in-process-candidates.ts";
import type { Columns } from "../../model/columns/columns.ts";
import type { CandidateService } from "../../model/pipeline/ports.ts";
import { Replay } from "../../model/replay/replay.ts";
import { tilePyramidAfter } from "../../model/replay/tile-pyramid.ts";
import type { ForwardingLookup } from "../../model/retrieval/product-columns.ts";
import type { TileSource } from "../../model/retrieval/tile-source.ts";
import { worldCell } from "../../shared/geo/cells.ts";
import { type GeneratedMarket, generateMarket } from "./generated-market.ts";

/** A moment of the past, so that every run sees the same world. Seconds since the epoch. */
const now = Date.UTC(2026, 0, 5, 12) / 1000;

/** A generated marketplace in memory: all tiles hot, all people known. */
export interface IndexedMarket extends GeneratedMarket {
  tiles: TileSource & ForwardingLookup;
  candidates: CandidateService & CandidateStore;
  replay: Replay;
  /** Seconds since the epoch, after the last event. */
  now: number;
}

/** Makes the world of so many products. */
export function buildIndexedMarket(products: number): IndexedMarket {
  const market = generateMarket(products, now);
  const { items, train: events } = market.dataset;
  const tiles = tilePyramidAfter(market.dataset, events, now);
  const places = inProcessCandidates(tiles, () => now);
  const replay = new Replay(items, places);
  for (const event of events) replay.applyEvent(event);
  return { ...market, tiles, candidates: places, replay, now };
}

/** All leaf tiles, found by descending from the world. */
export async function leafTiles(tiles: TileSource): Promise<Columns[]> {
  const leaves: Columns[] = [];
  const open = [worldCell];
  for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
    const tile = await tiles.tile(cell);
    if (!tile) continue;
    if (tile.meta.children.length === 0) leaves.push(tile);
    else open.push(...tile.meta.children.map((child) => child.cell));
  }
  return leaves;
}
