import { Session } from "node:inspector/promises";
import { describe, expect, it } from "vitest";
import { inProcessCandidates } from "../candidate-sources/in-process-candidates.ts";
import { allEvents } from "../data/dataset.ts";
import { Replay } from "../replay/replay.ts";
import { tilePyramidAfter } from "../replay/tile-pyramid.ts";
import type { ForwardingLookup } from "../retrieval/product-columns.ts";
import type { TileSource } from "../retrieval/tile-source.ts";
import { simulate } from "../simulate/simulate.ts";
import { linearRanker } from "./fallback-rankers.ts";

const now = Date.UTC(2026, 0, 5) / 1000;
const userCount = 40;

/** Cost of a recommendation: tiles read (mean and maximum), and bytes allocated (mean). */
interface Cost {
  tiles: number;
  maxTiles: number;
  bytes: number;
}

/**
 * Returns the bytes that `work` allocates, including those that are collected meanwhile. V8 estimates them from a
 * sample.
 */
async function allocatedBy(work: () => Promise<void>): Promise<number> {
  const session = new Session();
  session.connect();
  try {
    await session.post("HeapProfiler.startSampling", {
      samplingInterval: 4096,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    } as never);
    await work();
    const { profile } = await session.post("HeapProfiler.stopSampling");
    const bytesOf = (node: typeof profile.head): number =>
      node.selfSize + node.children.reduce((sum, child) => sum + bytesOf(child), 0);
    return bytesOf(profile.head);
  } finally {
    session.disconnect();
  }
}

/** Measures recommendations in a simulated marketplace with the given number of products. */
async function costOf(products: number): Promise<Cost> {
  const { dataset, users } = simulate({ products, users: 60, events: 4000, days: 40 }, 5, now);
  const events = allEvents(dataset);
  const allTiles = tilePyramidAfter(dataset, events, now);
  let reads = 0;
  const countingTiles: TileSource & ForwardingLookup = {
    tile: (cell) => {
      reads++;
      return allTiles.tile(cell);
    },
    forwardingCell: (cell, productId) => allTiles.forwardingCell(cell, productId),
  };
  const replay = new Replay(
    dataset.items,
    inProcessCandidates(countingTiles, () => now),
  );
  for (const event of events) replay.applyEvent(event);
  const tiles: number[] = [];
  const recommendAll = async (): Promise<void> => {
    for (const { id, lat, lon } of users.slice(0, userCount)) {
      const before = reads;
      await replay.recommend(
        { userId: id, time: now, point: { lat, lon }, limit: 10 },
        linearRanker,
        () => 0,
      );
      tiles.push(reads - before);
    }
  };
  // The first recommendations fill the caches of each tile.
  await recommendAll();
  const bytes = await allocatedBy(recommendAll);
  return {
    tiles: tiles.reduce((sum, each) => sum + each, 0) / tiles.length,
    maxTiles: Math.max(...tiles),
    bytes: bytes / userCount,
  };
}

describe("runPipeline", () => {
  it("reads a bounded number of tiles and allocates a bounded amount for a catalog of any size", async () => {
    const small = await costOf(8000);
    const large = await costOf(40_000);
    // At most 40 tiles around each of three points, and the tiles of up to 256 products that the user chose before.
    for (const { maxTiles } of [small, large]) expect(maxTiles).toBeLessThanOrEqual(3 * 40 + 256);
    expect(large.tiles).toBeLessThan(1.25 * small.tiles + 10);
    for (const { bytes } of [small, large]) expect(bytes).toBeLessThan(1.75e6);
    expect(large.bytes).toBeLessThan(2 * small.bytes);
  });
});
