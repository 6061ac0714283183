import type { Point } from "../../shared/contracts/primitives.ts";
import { isPlaceless, worldCell } from "../../shared/geo/cells.ts";
import { unitVectors, vectorDistanceKm } from "../../shared/geo/sphere.ts";
import type { ChildBlock, Columns } from "../columns/columns.ts";
import { noString } from "../columns/layout.ts";
import { rowVectorsOf } from "../columns/row-vectors.ts";
import type { RowTest } from "./filter.ts";
import { usualReachKm } from "./reach.ts";
import { maxConcurrentReads, maxPlacelessTiles, maxRowsPerSearch, wholeEarthKm } from "./search-limits.ts";
import { searchedChildren } from "./searched-children.ts";
import type { TileSource } from "./tile-source.ts";

/** Tiles that a search has read. */
export interface NearbyTiles {
  /** Leaf tiles, nearest first by their lower bounds. */
  leaves: Columns[];
  /** The parent tiles on the paths to the leaves. */
  parents: Columns[];
  /** Radius in km around the point within which every matching row is in `leaves`. */
  searchedKm: number;
  /** False if the search reached its limit of tiles or products before it had enough rows. */
  complete: boolean;
}

/** A tile to be read. */
interface PendingTile {
  cell: string;
  version: number;
  /** Products in the cell, according to its parent. */
  count: number;
  /** Lower bound of the distance from the point to any product in the cell, in km. */
  bound: number;
  /** Whether the cell is a parent by its level. */
  isParent: boolean;
}

/** When a search for tiles around a point ends. */
export interface ReadLimits {
  /** Matching rows after which no further tile is read. */
  manyRows: number;
  /** Tiles after which `enoughRows` are enough, also within the usual reach. */
  manyTiles: number;
  /** Matching rows, nearer than all that is unread, that are enough beyond {@link usualReachKm}. */
  enoughRows: number;
  /** Returns whether a row matches. */
  test: RowTest;
  /** Returns false for a child of a parent tile that cannot contain a matching row. */
  mayContain(child: ChildBlock): boolean;
  /** Tiles whose bound exceeds this radius are not read. */
  radiusKm: number;
  maxTiles: number;
}

/**
 * Returns the number of rows of a tile that match and are in no group, and adds the groups of the others to `groups`. The
 * variants of a group count as one, since a list shows one of them.
 */
function countMatching(tile: Columns, test: RowTest, groups: Set<string>): number {
  let count = 0;
  for (let row = 0; row < tile.count; row++) {
    if (!test(tile, row)) continue;
    if (tile.groupId[row] === noString) count++;
    else groups.add(tile.strings[tile.groupId[row]]);
  }
  return count;
}

/**
 * Counts matching rows by their distance from a point, and a group of variants by its nearest row. Only searches beyond
 * the usual reach need the distances.
 */
class MatchingDistances {
  readonly #here: Float64Array;
  readonly #test: RowTest;
  readonly #distances: number[] = [];
  readonly #groups = new Map<string, number>();
  #leavesCounted = 0;

  constructor(here: Float64Array, test: RowTest) {
    this.#here = here;
    this.#test = test;
  }

  /** Returns the number of matching rows of the leaves within a distance, in km. */
  within(leaves: readonly Columns[], km: number): number {
    for (; this.#leavesCounted < leaves.length; this.#leavesCounted++) {
      const tile = leaves[this.#leavesCounted];
      const vectors = rowVectorsOf(tile);
      for (let row = 0; row < tile.count; row++) {
        if (!this.#test(tile, row)) continue;
        const distance = vectorDistanceKm(this.#here, 0, vectors, row);
        if (tile.groupId[row] === noString) this.#distances.push(distance);
        else {
          const group = tile.strings[tile.groupId[row]];
          this.#groups.set(group, Math.min(distance, this.#groups.get(group) ?? distance));
        }
      }
    }
    let count = 0;
    for (const distance of this.#distances) if (distance <= km) count++;
    for (const distance of this.#groups.values()) if (distance <= km) count++;
    return count;
  }
}

/** Where a search starts, and how it measures the distance to a tile. */
interface SearchStart {
  pending: readonly PendingTile[];
  boundOf(tile: Columns, child: number): number;
  /** Unit vector of the point; null for tiles of products without a location. */
  here: Float64Array | null;
}

/**
 * Reads the tiles of cells and their descendants, nearest first, until the search reaches one of the limits. Parents are
 * read while leaves are being read, so that all leaves that are likely to be needed are one wave of reads.
 */
async function readTiles(
  source: TileSource,
  { pending: start, boundOf, here }: SearchStart,
  { manyRows, manyTiles, enoughRows, test, mayContain, radiusKm, maxTiles }: ReadLimits,
): Promise<NearbyTiles> {
  const leaves: Columns[] = [];
  const parents: Columns[] = [];
  const pending = [...start].sort((a, b) => a.bound - b.bound);
  const distances = here && new MatchingDistances(here, test);
  const groups = new Set<string>();
  let ungrouped = 0;
  let matchingRows = 0;
  let tilesRead = 0;
  let rowsRead = 0;
  const hasEnough = (): boolean => {
    const { bound } = pending[0];
    if (bound <= usualReachKm && matchingRows >= manyRows) return true;
    if (bound <= usualReachKm && tilesRead < manyTiles) return false;
    return matchingRows >= enoughRows && (!distances || distances.within(leaves, bound) >= enoughRows);
  };
  const result = (complete: boolean): NearbyTiles => {
    const searchedKm = pending.length > 0 ? pending[0].bound : Math.min(radiusKm, wholeEarthKm);
    return { leaves, parents, searchedKm, complete };
  };
  const addTile = (tile: Columns | null): void => {
    if (!tile) return;
    rowsRead += tile.count;
    if (tile.meta.children.length === 0) {
      leaves.push(tile);
      ungrouped += countMatching(tile, test, groups);
      matchingRows = ungrouped + groups.size;
      return;
    }
    parents.push(tile);
    const { blocks, isParent } = searchedChildren(tile);
    for (const [i, child] of blocks.entries()) {
      const bound = boundOf(tile, i);
      const { cell, version, count } = child;
      if (bound <= radiusKm && mayContain(child))
        pending.push({ cell, version, count, bound, isParent: isParent[i] });
    }
  };
  const read = ({ cell, version }: PendingTile): Promise<Columns | null> => {
    tilesRead++;
    const tile = source.tile(cell, version);
    // Awaited later: a parent may fail before.
    tile.catch(() => null);
    return tile;
  };
  while (pending.length > 0 && !hasEnough()) {
    if (tilesRead >= maxTiles || rowsRead >= maxRowsPerSearch) return result(false);
    const onlyFarTilesLeft = pending[0].bound > usualReachKm;
    const wanted = onlyFarTilesLeft ? enoughRows : manyRows;
    const reading: Promise<Columns | null>[] = [];
    let expected = matchingRows;
    // Tiles beyond the usual reach wait until the local ones have been counted.
    const isNext = (): boolean =>
      pending.length > 0 && tilesRead < maxTiles && (onlyFarTilesLeft || pending[0].bound <= usualReachKm);
    while (isNext() && (expected < wanted || reading.length === 0) && reading.length < maxConcurrentReads) {
      if (!pending[0].isParent) {
        const next = pending.splice(0, 1)[0];
        expected += next.count;
        reading.push(read(next));
        continue;
      }
      const above: Promise<Columns | null>[] = [];
      let below = expected;
      while (isNext() && pending[0].isParent && (below < wanted || above.length === 0)) {
        const next = pending.splice(0, 1)[0];
        below += next.count;
        above.push(read(next));
      }
      for (const tile of await Promise.all(above)) addTile(tile);
      pending.sort((a, b) => a.bound - b.bound);
      if (rowsRead >= maxRowsPerSearch) break;
    }
    for (const tile of await Promise.all(reading)) addTile(tile);
    pending.sort((a, b) => a.bound - b.bound);
  }
  return result(true);
}

/** Rounding error of a bound, in km, at most. */
const roundingKm = 1e-6;

/**
 * Reads the leaf tiles around a point, nearest first by the bounds of their caps, until the search reaches one of the
 * limits. A second search with the same limits reads the shards of products without a location. Without a point, all
 * tiles of the world are equally near: if the world's own tile has too few matches, the search reads those with the most
 * products first.
 */
export async function readNearbyTiles(
  source: TileSource,
  point: Point | null,
  limits: ReadLimits,
): Promise<NearbyTiles> {
  const { radiusKm } = limits;
  source.prefetch?.(point);
  const world = await source.tile(worldCell);
  if (!world) return { leaves: [], parents: [], searchedKm: wholeEarthKm, complete: true };
  const here = point && unitVectors([point.lat], [point.lon], 1);
  const boundOf = (tile: Columns, child: number): number => {
    if (!here) return 0;
    const { blocks, centers } = searchedChildren(tile);
    const { cell, radiusKm: capRadiusKm } = blocks[child];
    if (isPlaceless(cell)) return Number.POSITIVE_INFINITY;
    const toCenter = vectorDistanceKm(here, 0, centers, child);
    return Math.max(0, toCenter - capRadiusKm - roundingKm);
  };
  const regions: PendingTile[] = [];
  const placeless: PendingTile[] = [];
  const { blocks, isParent } = searchedChildren(world);
  for (const [i, child] of blocks.entries()) {
    if (!limits.mayContain(child)) continue;
    const { cell, version, count } = child;
    const bound = boundOf(world, i);
    if (isPlaceless(cell)) placeless.push({ cell, version, count, bound: 0, isParent: false });
    else if (bound <= radiusKm) regions.push({ cell, version, count, bound, isParent: isParent[i] });
  }
  // Without a point, the most popular products of the world are enough, which its own tile holds.
  const groups = new Set<string>();
  if (!here && countMatching(world, limits.test, groups) + groups.size >= limits.enoughRows)
    regions.length = 0;
  if (!here) regions.sort((a, b) => b.count - a.count);
  const [nearby, shards] = await Promise.all([
    readTiles(source, { pending: regions, boundOf, here }, limits),
    readTiles(
      source,
      { pending: placeless, boundOf: () => 0, here: null },
      { ...limits, maxTiles: Math.min(limits.maxTiles, maxPlacelessTiles) },
    ),
  ]);
  return {
    leaves: [...nearby.leaves, ...shards.leaves],
    parents: [world, ...nearby.parents, ...shards.parents],
    searchedKm: nearby.searchedKm,
    complete: nearby.complete && shards.complete,
  };
}
