import type { Point } from "../../shared/contracts/primitives.ts";
import { isPlaceless, worldCell } from "../../shared/geo/cells.ts";
import { unitVectors, vectorDistanceKm } from "../../shared/geo/sphere.ts";
import type { Columns } from "../columns/columns.ts";
import type { RowTest } from "./filter.ts";
import { localRadiusKm } from "./local-radius.ts";
import { maxConcurrentReads, type TileSource } from "./tile-source.ts";

const cachedCenters = new WeakMap<Columns, Float64Array>();

/** Returns the unit vectors of the centers of a parent tile's children. They are cached per tile. */
function childCenters(tile: Columns): Float64Array {
  let centers = cachedCenters.get(tile);
  if (!centers) {
    const { children } = tile.meta;
    centers = unitVectors(
      children.map(({ lat }) => lat),
      children.map(({ lon }) => lon),
      children.length,
    );
    cachedCenters.set(tile, centers);
  }
  return centers;
}

/** Tiles around a point. */
export interface NearbyTiles {
  /** Leaf tiles, nearest first by their lower bounds. */
  leaves: Columns[];
  /** The parent tiles on the paths to the leaves. */
  parents: Columns[];
}

/** A tile to be read. */
interface PendingTile {
  cell: string;
  version: number;
  /** Products in the cell, according to its parent. */
  count: number;
  /** Lower bound of the distance from the point to any product in the cell, in km. */
  bound: number;
}

/** When a search for tiles around a point ends. */
export interface ReadLimits {
  /** Matching rows after which no further tile is read. */
  minRows: number;
  /** Matching rows after which no tile beyond {@link localRadiusKm} is read. */
  minLocalRows: number;
  /** Returns whether a row matches. */
  test: RowTest;
  /** Tiles whose bound exceeds this radius are not read. */
  radiusKm: number;
  maxTiles: number;
}

/** Returns the number of rows of a tile that match. */
function countMatching(tile: Columns, test: RowTest): number {
  let count = 0;
  for (let row = 0; row < tile.count; row++) if (test(tile, row)) count++;
  return count;
}

/** Reads the tiles of cells and their descendants, nearest first, until the search reaches one of the limits. */
async function readTiles(
  source: TileSource,
  start: readonly PendingTile[],
  boundOf: (tile: Columns, child: number) => number,
  { minRows, minLocalRows, test, radiusKm, maxTiles }: ReadLimits,
): Promise<NearbyTiles> {
  const leaves: Columns[] = [];
  const parents: Columns[] = [];
  const pending = [...start].sort((a, b) => a.bound - b.bound);
  let matchingRows = 0;
  let tilesRead = 0;
  while (pending.length > 0 && tilesRead < maxTiles) {
    const onlyFarTilesLeft = pending[0].bound > localRadiusKm;
    const wanted = onlyFarTilesLeft ? minLocalRows : minRows;
    if (matchingRows >= wanted) break;
    const next: PendingTile[] = [];
    let expected = matchingRows;
    // Read the tiles that are likely to be needed at the same time. Tiles beyond the local radius wait until the local
    // ones have been counted.
    const maxReads = Math.min(maxConcurrentReads, maxTiles - tilesRead);
    while (pending.length > 0 && expected < wanted && next.length < maxReads) {
      if (pending[0].bound > localRadiusKm && !onlyFarTilesLeft) break;
      next.push(...pending.splice(0, 1));
      expected += next[next.length - 1].count;
    }
    tilesRead += next.length;
    const tiles = await Promise.all(next.map(({ cell, version }) => source.tile(cell, version)));
    for (const tile of tiles) {
      if (!tile) continue;
      if (tile.meta.children.length === 0) {
        leaves.push(tile);
        matchingRows += countMatching(tile, test);
        continue;
      }
      parents.push(tile);
      for (const [i, { cell, version, count }] of tile.meta.children.entries()) {
        const bound = boundOf(tile, i);
        if (bound <= radiusKm) pending.push({ cell, version, count, bound });
      }
    }
    pending.sort((a, b) => a.bound - b.bound);
  }
  return { leaves, parents };
}

/**
 * Reads the leaf tiles around a point, nearest first by the bounds of their caps, until the search reaches one of the
 * limits. A second search with the same limits reads the shards of products without a location. Without a point, it
 * reads the world's tile and these shards only.
 */
export async function readNearbyTiles(
  source: TileSource,
  point: Point | null,
  limits: ReadLimits,
): Promise<NearbyTiles> {
  const { radiusKm } = limits;
  const world = await source.tile(worldCell);
  if (!world) return { leaves: [], parents: [] };
  const here = point && unitVectors([point.lat], [point.lon], 1);
  const boundOf = (tile: Columns, child: number): number => {
    const { cell, radiusKm: capRadiusKm } = tile.meta.children[child];
    if (!here || isPlaceless(cell)) return Number.POSITIVE_INFINITY;
    return Math.max(0, vectorDistanceKm(here, 0, childCenters(tile), child) - capRadiusKm);
  };
  const regions: PendingTile[] = [];
  const placeless: PendingTile[] = [];
  for (const [i, { cell, version, count }] of world.meta.children.entries()) {
    const bound = boundOf(world, i);
    if (isPlaceless(cell)) placeless.push({ cell, version, count, bound: 0 });
    else if (here && bound <= radiusKm) regions.push({ cell, version, count, bound });
  }
  const [nearby, shards] = await Promise.all([
    readTiles(source, regions, boundOf, limits),
    readTiles(source, placeless, () => 0, limits),
  ]);
  return {
    leaves: [...nearby.leaves, ...shards.leaves],
    parents: [world, ...nearby.parents, ...shards.parents],
  };
}
