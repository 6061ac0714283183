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
import { searchedChildren } from "./searched-children.ts";
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

/** A tile to be read. */
interface PendingTile {
  cell: string;
  version?: number;
  /** Products in the cell, according to its parent. */
  count: number;
  /** Lower bound of the distance from the point to any product in the cell, in km. */
  bound: number;
  /** Whether the cell is a parent by its level. */
  isParent: boolean;
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
  source.prefetch?.(point);
  const pending: PendingTile[] = [{ cell: worldCell, count: 0, bound: 0, isParent: true }];
  let rows: NearbyRow[] = [];
  let tilesRead = 0;
  let rowsRead = 0;
  const searchRadiusKm = (): number =>
    rows.length < limit ? radiusKm : Math.min(radiusKm, rows[limit - 1].distanceKm);
  const result = (complete: boolean): { rows: NearbyRow[]; searched: Searched } => {
    const unreadKm = pending[0]?.bound ?? Number.POSITIVE_INFINITY;
    return { rows, searched: { radiusKm: Math.min(unreadKm, radiusKm, wholeEarthKm), complete } };
  };
  const addChildren = (tile: Columns): void => {
    const { blocks, isParent } = searchedChildren(tile);
    for (const [i, child] of blocks.entries()) {
      // Products without a location have no distance.
      if (isPlaceless(child.cell)) continue;
      const toCenter = distanceKm(point.lat, point.lon, child.lat, child.lon);
      const bound = Math.max(0, toCenter - child.radiusKm - roundingKm);
      const { cell, version, count } = child;
      if (bound <= radiusKm && test.mayContain(child))
        pending.push({ cell, version, count, bound, isParent: isParent[i] });
    }
  };
  const addTile = (tile: Columns | null, withinKm: number): void => {
    if (!tile) return;
    rowsRead += tile.count;
    if (tile.meta.children.length === 0) addRowsWithin(rows, tile, point, withinKm, test.row);
    else addChildren(tile);
  };
  while (pending.length > 0 && pending[0].bound <= searchRadiusKm()) {
    if (tilesRead >= query.maxTiles || rowsRead >= maxRowsPerSearch) return result(false);
    // The radius before rows of these tiles are added, since `rows` is not sorted while they are.
    const currentRadiusKm = searchRadiusKm();
    const reading: Promise<Columns | null>[] = [];
    let expected = rows.length;
    while (
      pending.length > 0 &&
      reading.length < maxConcurrentReads &&
      tilesRead < query.maxTiles &&
      pending[0].bound <= currentRadiusKm
    ) {
      const [next] = pending;
      // The search needs all tiles that contain the point. Others wait once enough rows are expected.
      if (next.bound > 0 && reading.length > 0 && expected >= limit) break;
      pending.shift();
      tilesRead++;
      const tile = source.tile(next.cell, next.version);
      if (next.isParent) {
        // A parent is read while leaves are being read, so that the leaves are one wave of reads.
        addTile(await tile, currentRadiusKm);
        pending.sort((a, b) => a.bound - b.bound);
        continue;
      }
      // Awaited later: a parent may fail before.
      tile.catch(() => null);
      expected += next.count;
      reading.push(tile);
    }
    for (const tile of await Promise.all(reading)) addTile(tile, currentRadiusKm);
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
