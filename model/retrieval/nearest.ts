import type { Point } from "../../shared/contracts/primitives.ts";
import { isPlaceless, worldCell } from "../../shared/geo/cells.ts";
import { distanceKm, earthRadiusKm } from "../../shared/geo/distance.ts";
import { squaredChord, squaredChordOfKm, unitVectors } from "../../shared/geo/sphere.ts";
import type { Columns } from "../columns/columns.ts";
import type { RowTest } from "./filter.ts";
import { vectorsOf } from "./scan.ts";
import type { TileSource } from "./tiles.ts";

/** A row of a tile and its great-circle distance. */
export interface Found {
  tile: Columns;
  row: number;
  distanceKm: number;
}

export interface NearestQuery {
  point: Point;
  /** Rows wanted. */
  limit: number;
  radiusKm: number;
  test: RowTest;
  /** Tiles that may be read before the answer says that it is truncated. */
  maxTiles: number;
}

/** Tiles are asked for so many at a time where the order allows it. */
const tilesAtOnce = 8;

/** Nearly half of the Earth's circumference: beyond, chords hardly differ. */
const farthestKm = Math.PI * earthRadiusKm - 1;

/** Bounds and distances are rounded differently: by less than this. */
const roundingKm = 1e-6;

/**
 * The nearest rows in exact order: best-first search over the tree of tiles (Hjaltason and Samet, "Distance
 * Browsing in Spatial Databases", ACM TODS 24(2), 1999). A tile's cap gives a lower bound for all below it; the
 * search ends when no open bound is below the distance of the last row found.
 */
export async function nearest(
  source: TileSource,
  query: NearestQuery,
): Promise<{ found: Found[]; truncated: boolean }> {
  const { point, limit, radiusKm, test } = query;
  const open: { cell: string; version?: number; count: number; bound: number }[] = [
    { cell: worldCell, count: 0, bound: 0 },
  ];
  let found: Found[] = [];
  let read = 0;
  const reach = (): number =>
    found.length < limit ? radiusKm : Math.min(radiusKm, found[limit - 1].distanceKm);
  while (open.length > 0 && open[0].bound <= reach()) {
    if (read >= query.maxTiles) return { found, truncated: true };
    const next: { cell: string; version?: number }[] = [];
    let expected = found.length;
    while (
      open.length > 0 &&
      next.length < Math.min(tilesAtOnce, query.maxTiles - read) &&
      open[0].bound <= reach()
    ) {
      // Only tiles that hold the point are surely needed at once; the rest wait for what these find.
      if (open[0].bound > 0 && next.length > 0 && expected >= limit) break;
      expected += open[0].count;
      next.push(...open.splice(0, 1));
    }
    read += next.length;
    const tiles = await Promise.all(next.map(({ cell, version }) => source.tile(cell, version)));
    // As it was before these tiles: what they add is in no order yet.
    const reachKm = reach();
    for (const tile of tiles) {
      if (!tile) continue;
      if (tile.meta.children.length === 0) addRowsWithin(found, tile, point, reachKm, test);
      else
        for (const child of tile.meta.children) {
          // What has no place is near nothing.
          if (isPlaceless(child.cell)) continue;
          const toCenter = distanceKm(point.lat, point.lon, child.lat, child.lon);
          const bound = Math.max(0, toCenter - child.radiusKm - roundingKm);
          const { cell, version, count } = child;
          if (bound <= radiusKm) open.push({ cell, version, count, bound });
        }
    }
    open.sort((a, b) => a.bound - b.bound);
    found.sort((a, b) => a.distanceKm - b.distanceKm || a.tile.idHash[a.row] - b.tile.idHash[b.row]);
    found = newest(found, limit);
  }
  return { found, truncated: false };
}

/**
 * The first of sorted rows, each product once by its newest version: while it moves, or its cell splits, two tiles may show
 * it.
 */
function newest(sorted: readonly Found[], limit: number): Found[] {
  const kept = new Map<number, Found>();
  for (let i = 0; i < sorted.length && kept.size < limit; i++) {
    const each = sorted[i];
    const hash = each.tile.idHash[each.row];
    const known = kept.get(hash);
    if (known && known.tile.version[known.row] >= each.tile.version[each.row]) continue;
    // A newer version takes its own place in the order.
    if (known) kept.delete(hash);
    kept.set(hash, each);
  }
  return [...kept.values()];
}

function addRowsWithin(found: Found[], tile: Columns, point: Point, reachKm: number, test: RowTest): void {
  const here = unitVectors([point.lat], [point.lon], 1);
  const vectors = vectorsOf(tile);
  // What is farther by its chord is out of reach, however it is rounded: most rows need no more than that.
  const beyond = reachKm < farthestKm ? squaredChordOfKm(reachKm + 0.001) : Number.POSITIVE_INFINITY;
  for (let row = 0; row < tile.count; row++) {
    if (squaredChord(here, 0, vectors, row) > beyond) continue;
    if (Number.isNaN(tile.lat[row]) || !test(tile, row)) continue;
    const km = distanceKm(point.lat, point.lon, tile.lat[row], tile.lon[row]);
    if (km <= reachKm) found.push({ tile, row, distanceKm: km });
  }
}
