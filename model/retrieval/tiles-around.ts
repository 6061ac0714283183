import type { Point } from "../../shared/contracts/primitives.ts";
import { isPlaceless, worldCell } from "../../shared/geo/cells.ts";
import { unitVectors, vectorDistanceKm } from "../../shared/geo/sphere.ts";
import type { Columns } from "../columns/columns.ts";
import type { RowTest } from "./filter.ts";
import { reachKm } from "./reach.ts";
import type { TileSource } from "./tiles.ts";

/** Tiles are asked for so many at a time. */
const tilesAtOnce = 8;

const centers = new WeakMap<Columns, Float64Array>();

/** Unit vectors of the centres of a parent's children, remembered with it. */
function centersOf(tile: Columns): Float64Array {
  let known = centers.get(tile);
  if (!known) {
    const { children } = tile.meta;
    known = unitVectors(
      children.map(({ lat }) => lat),
      children.map(({ lon }) => lon),
      children.length,
    );
    centers.set(tile, known);
  }
  return known;
}

/** Tiles around a point. */
export interface TilesAround {
  /** Leaves in the order of their nearest bound, and the parents that led to them. */
  leaves: Columns[];
  parents: Columns[];
}

/** A cell to be read, and how near anything in it may be, in km. */
interface Open {
  cell: string;
  version: number;
  /** Products in it, as its parent knows. */
  count: number;
  bound: number;
}

/** How far and how much is read around a point. */
export interface Extent {
  /** Enough rows that pass, wherever they are ... */
  rows: number;
  /** ... and enough where all that is not read is farther than {@link reachKm}. */
  near: number;
  /** Rows that count. */
  test: RowTest;
  radiusKm: number;
  maxTiles: number;
}

/** Rows of a tile that pass. */
function passing(tile: Columns, test: RowTest): number {
  let count = 0;
  for (let row = 0; row < tile.count; row++) if (test(tile, row)) count++;
  return count;
}

/** Reads cells and those below them, nearest first, until the leaves hold enough rows or `maxTiles` tiles were read. */
async function descend(
  source: TileSource,
  start: readonly Open[],
  boundOf: (tile: Columns, child: number) => number,
  { rows, near, test, radiusKm, maxTiles }: Extent,
): Promise<TilesAround> {
  const leaves: Columns[] = [];
  const parents: Columns[] = [];
  const open = [...start].sort((a, b) => a.bound - b.bound);
  let held = 0;
  let read = 0;
  while (open.length > 0 && read < maxTiles) {
    const beyond = open[0].bound > reachKm;
    const wanted = beyond ? near : rows;
    if (held >= wanted) break;
    const next: Open[] = [];
    let expected = held;
    // Together what is likely to be needed: what is beyond reach waits until it is known to be.
    while (open.length > 0 && expected < wanted && next.length < Math.min(tilesAtOnce, maxTiles - read)) {
      if (open[0].bound > reachKm && !beyond) break;
      next.push(...open.splice(0, 1));
      expected += next[next.length - 1].count;
    }
    read += next.length;
    const tiles = await Promise.all(next.map(({ cell, version }) => source.tile(cell, version)));
    for (const tile of tiles) {
      if (!tile) continue;
      if (tile.meta.children.length === 0) {
        leaves.push(tile);
        held += passing(tile, test);
        continue;
      }
      parents.push(tile);
      for (const [i, { cell, version, count }] of tile.meta.children.entries()) {
        const bound = boundOf(tile, i);
        if (bound <= radiusKm) open.push({ cell, version, count, bound });
      }
    }
    open.sort((a, b) => a.bound - b.bound);
  }
  return { leaves, parents };
}

/**
 * Reads leaf tiles around a point, nearest first by the bounds of their caps, until they hold enough rows or `maxTiles`
 * tiles were read; from anywhere the shards of products without a place, which are everywhere, up to as many again. Without
 * a point: the world's tile and those shards.
 */
export async function tilesAround(
  source: TileSource,
  point: Point | null,
  extent: Extent,
): Promise<TilesAround> {
  const { radiusKm } = extent;
  const world = await source.tile(worldCell);
  if (!world) return { leaves: [], parents: [] };
  const here = point && unitVectors([point.lat], [point.lon], 1);
  const near = (tile: Columns, child: number): number => {
    const { cell, radiusKm: reach } = tile.meta.children[child];
    if (!here || isPlaceless(cell)) return Number.POSITIVE_INFINITY;
    return Math.max(0, vectorDistanceKm(here, 0, centersOf(tile), child) - reach);
  };
  const regions: Open[] = [];
  const placeless: Open[] = [];
  for (const [i, { cell, version, count }] of world.meta.children.entries()) {
    const bound = near(world, i);
    if (isPlaceless(cell)) placeless.push({ cell, version, count, bound: 0 });
    else if (here && bound <= radiusKm) regions.push({ cell, version, count, bound });
  }
  const [around, anywhere] = await Promise.all([
    descend(source, regions, near, extent),
    descend(source, placeless, () => 0, extent),
  ]);
  return {
    leaves: [...around.leaves, ...anywhere.leaves],
    parents: [world, ...around.parents, ...anywhere.parents],
  };
}
