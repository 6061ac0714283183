import type { Point } from "../../workers/shared/contracts/primitives.ts";
import { worldCell } from "../../workers/shared/geo/cells.ts";
import { unitVectors, vectorDistanceKm } from "../../workers/shared/geo/sphere.ts";
import type { Columns } from "../columns/columns.ts";
import type { TileSource } from "./tiles.ts";

/** Tiles are asked for so many at a time. */
const tilesAtOnce = 8;

const centres = new WeakMap<Columns, Float64Array>();

/** Unit vectors of the centres of a parent's children, remembered with it. */
function centresOf(tile: Columns): Float64Array {
  let known = centres.get(tile);
  if (!known) {
    const { children } = tile.meta;
    known = unitVectors(
      children.map(({ lat }) => lat),
      children.map(({ lon }) => lon),
      children.length,
    );
    centres.set(tile, known);
  }
  return known;
}

/** Tiles around a point. */
export interface Around {
  /** Leaves in the order of their nearest bound, and the parents that led to them. */
  leaves: Columns[];
  parents: Columns[];
}

/**
 * Reads leaf tiles around a point, nearest first by the bounds of their caps, until they hold `rows` rows or `maxTiles`
 * tiles were read; from anywhere the shards of products without a place, which are everywhere. Without a point: the
 * world's tile and those shards.
 */
export async function tilesAround(
  source: TileSource,
  point: Point | null,
  rows: number,
  radiusKm: number,
  maxTiles: number,
): Promise<Around> {
  const here = point && unitVectors([point.lat], [point.lon], 1);
  const leaves: Columns[] = [];
  const parents: Columns[] = [];
  let open = [{ cell: worldCell, bound: 0 }];
  let held = 0;
  let read = 0;
  while (open.length > 0 && held < rows && read < maxTiles) {
    const next = open.splice(0, Math.min(tilesAtOnce, maxTiles - read));
    read += next.length;
    const tiles = await Promise.all(next.map(({ cell }) => source.tile(cell)));
    for (const tile of tiles) {
      if (!tile) continue;
      if (tile.meta.children.length === 0) {
        leaves.push(tile);
        held += tile.count;
        continue;
      }
      parents.push(tile);
      const at = centresOf(tile);
      for (let i = 0; i < tile.meta.children.length; i++) {
        const { cell, radiusKm: reach } = tile.meta.children[i];
        const placeless = cell.startsWith(`${worldCell}-`);
        if (!here && !placeless) continue;
        const bound = here && !placeless ? Math.max(0, vectorDistanceKm(here, 0, at, i) - reach) : 0;
        if (bound <= radiusKm) open.push({ cell, bound });
      }
    }
    open.sort((a, b) => a.bound - b.bound);
  }
  return { leaves, parents };
}
