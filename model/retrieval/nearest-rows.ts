import type { Searched } from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import { isPlaceless, worldCell } from "../../shared/geo/cells.ts";
import { distanceKm, earthRadiusKm } from "../../shared/geo/distance.ts";
import { squaredChord, squaredChordOfKm, unitVectors } from "../../shared/geo/sphere.ts";
import { type Columns, groupIdOf } from "../columns/columns.ts";
import { compareProductIds } from "../columns/product-identity.ts";
import { ProductMap } from "../columns/product-map.ts";
import { rowVectorsOf } from "../columns/row-vectors.ts";
import type { ProductTest, RowTest } from "./filter.ts";
import { maxConcurrentReads, maxRowsPerSearch, wholeEarthKm } from "./search-limits.ts";
import type { TileSource } from "./tile-source.ts";

/** A row of a tile, and its great-circle distance from the point of the query. */
export interface NearbyRow {
  tile: Columns;
  row: number;
  distanceKm: number;
}

/** A query for the nearest rows. */
export interface NearestQuery {
  point: Point;
  /** Rows to return, at most. */
  limit: number;
  radiusKm: number;
  test: ProductTest;
  /** Tiles to read, at most; a search that would need more is not complete. */
  maxTiles: number;
}

/** Radius in km up to which chords tell distances apart: nearly half of the Earth's circumference. */
const maxChordKm = Math.PI * earthRadiusKm - 1;

/** Upper bound of the rounding error between a lower bound and a distance, in km. */
const roundingKm = 1e-6;

/** Slack in km of the test by chords: far more than the rounding error of a chord. */
const chordSlackKm = 0.001;

/**
 * Returns the nearest rows in exact order, by best-first search over the tree of tiles (Hjaltason and Samet, "Distance
 * Browsing in Spatial Databases", ACM TODS 24(2), 1999). The cap of a tile gives a lower bound for the distance of all
 * products below it. The search ends when no pending bound is below the distance of the last row found.
 */
export async function nearestRows(
  source: TileSource,
  query: NearestQuery,
): Promise<{ rows: NearbyRow[]; searched: Searched }> {
  const { point, limit, radiusKm, test } = query;
  const pending: { cell: string; version?: number; count: number; bound: number }[] = [
    { cell: worldCell, count: 0, bound: 0 },
  ];
  let rows: NearbyRow[] = [];
  let tilesRead = 0;
  let rowsRead = 0;
  const searchRadiusKm = (): number =>
    rows.length < limit ? radiusKm : Math.min(radiusKm, rows[limit - 1].distanceKm);
  const result = (complete: boolean): { rows: NearbyRow[]; searched: Searched } => {
    const unreadKm = pending[0]?.bound ?? Number.POSITIVE_INFINITY;
    return { rows, searched: { radiusKm: Math.min(unreadKm, radiusKm, wholeEarthKm), complete } };
  };
  while (pending.length > 0 && pending[0].bound <= searchRadiusKm()) {
    if (tilesRead >= query.maxTiles || rowsRead >= maxRowsPerSearch) return result(false);
    const next: { cell: string; version?: number }[] = [];
    let expected = rows.length;
    while (
      pending.length > 0 &&
      next.length < Math.min(maxConcurrentReads, query.maxTiles - tilesRead) &&
      pending[0].bound <= searchRadiusKm()
    ) {
      // The search needs all tiles that contain the point. Others wait once enough rows are expected.
      if (pending[0].bound > 0 && next.length > 0 && expected >= limit) break;
      expected += pending[0].count;
      next.push(...pending.splice(0, 1));
    }
    tilesRead += next.length;
    const tiles = await Promise.all(next.map(({ cell, version }) => source.tile(cell, version)));
    // The radius before rows of these tiles are added, since `rows` is not sorted while they are.
    const currentRadiusKm = searchRadiusKm();
    for (const tile of tiles) {
      if (!tile) continue;
      rowsRead += tile.count;
      if (tile.meta.children.length === 0) addRowsWithin(rows, tile, point, currentRadiusKm, test.row);
      else
        for (const child of tile.meta.children) {
          // Products without a location have no distance.
          if (isPlaceless(child.cell)) continue;
          const toCenter = distanceKm(point.lat, point.lon, child.lat, child.lon);
          const bound = Math.max(0, toCenter - child.radiusKm - roundingKm);
          const { cell, version, count } = child;
          if (bound <= radiusKm && test.mayContain(child)) pending.push({ cell, version, count, bound });
        }
    }
    pending.sort((a, b) => a.bound - b.bound);
    rows.sort(byDistance);
    rows = distinctRows(rows, limit);
  }
  return result(true);
}

const byDistance = (a: NearbyRow, b: NearbyRow): number =>
  a.distanceKm - b.distanceKm || compareProductIds(a.tile, a.row, b.tile, b.row);

/**
 * Returns the first `limit` of sorted rows: each product once, by its newest version, and the nearest of each group of
 * variants. Two tiles may contain a product while it moves or while its cell splits.
 */
function distinctRows(sorted: readonly NearbyRow[], limit: number): NearbyRow[] {
  const newest = new ProductMap<NearbyRow>();
  const groups = new Set<string>();
  for (let i = 0; i < sorted.length && newest.size < limit; i++) {
    const { tile, row } = sorted[i];
    const earlier = newest.get(tile, row);
    if (earlier) {
      if (earlier.tile.version[earlier.row] < tile.version[row]) newest.set(tile, row, sorted[i]);
      continue;
    }
    const group = groupIdOf(tile, row);
    if (group !== null && groups.has(group)) continue;
    if (group !== null) groups.add(group);
    newest.set(tile, row, sorted[i]);
  }
  // A newer version stands at its own distance.
  return newest.values().sort(byDistance);
}

/** Appends the matching rows of a tile within a radius to `rows`. */
function addRowsWithin(
  rows: NearbyRow[],
  tile: Columns,
  point: Point,
  withinKm: number,
  test: RowTest,
): void {
  const here = unitVectors([point.lat], [point.lon], 1);
  const vectors = rowVectorsOf(tile);
  // A chord is cheaper than a great-circle distance and excludes most rows.
  const maxChord =
    withinKm < maxChordKm ? squaredChordOfKm(withinKm + chordSlackKm) : Number.POSITIVE_INFINITY;
  for (let row = 0; row < tile.count; row++) {
    if (squaredChord(here, 0, vectors, row) > maxChord) continue;
    if (Number.isNaN(tile.lat[row]) || !test(tile, row)) continue;
    const km = distanceKm(point.lat, point.lon, tile.lat[row], tile.lon[row]);
    if (km <= withinKm) rows.push({ tile, row, distanceKm: km });
  }
}
