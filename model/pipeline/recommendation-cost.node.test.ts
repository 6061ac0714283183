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
const asked = 40;

/** Reads of tiles that a recommendation makes on average, the most of any, and bytes that it allocates. */
interface Shape {
  tiles: number;
  maxTiles: number;
  bytes: number;
}

/** Bytes that are allocated while `work` runs, what is collected meanwhile included: a sample of all, scaled up. */
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

/** Recommendations for people of a marketplace where each city has `perCity` products, in more and more cities. */
async function shapeOf(products: number): Promise<Shape> {
  const { dataset, users: people } = simulate({ products, users: 60, events: 4000, days: 40 }, 5, now);
  const events = allEvents(dataset);
  const world = tilePyramidAfter(dataset, events, now);
  let reads = 0;
  const counted: TileSource & ForwardingLookup = {
    tile: (cell) => {
      reads++;
      return world.tile(cell);
    },
    forwardingCell: (cell, productId) => world.forwardingCell(cell, productId),
  };
  const replay = new Replay(
    dataset.items,
    inProcessCandidates(counted, () => now),
  );
  for (const event of events) replay.applyEvent(event);
  const tiles: number[] = [];
  const recommendAll = async (): Promise<void> => {
    for (const { id, lat, lon } of people.slice(0, asked)) {
      const before = reads;
      await replay.recommend(
        { userId: id, time: now, point: { lat, lon }, limit: 10 },
        linearRanker,
        () => 0,
      );
      tiles.push(reads - before);
    }
  };
  // What is remembered with a tile is made by the first who reads it.
  await recommendAll();
  const bytes = await allocatedBy(recommendAll);
  return {
    tiles: tiles.reduce((sum, each) => sum + each, 0) / tiles.length,
    maxTiles: Math.max(...tiles),
    bytes: bytes / asked,
  };
}

describe("a recommendation", () => {
  it("reads a few tiles and allocates a bounded amount, whatever the size of the catalogue", async () => {
    const small = await shapeOf(8000);
    const large = await shapeOf(40_000);
    // Three waves of at most 40 tiles, and those of up to 256 products that the person chose before.
    for (const { maxTiles } of [small, large]) expect(maxTiles).toBeLessThanOrEqual(3 * 40 + 256);
    expect(large.tiles).toBeLessThan(1.25 * small.tiles + 10);
    for (const { bytes } of [small, large]) expect(bytes).toBeLessThan(1.5e6);
    expect(large.bytes).toBeLessThan(2 * small.bytes);
  });
});
