import type { FirstStageQuery } from "../../shared/contracts/retrieval.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { Columns } from "../columns/columns.ts";
import { concatRows } from "../columns/concat-rows.ts";
import { affinityWeights, categoryHoursOf } from "./category-affinity.ts";
import { compileFilter, type RowTest } from "./filter.ts";
import { localRadiusKm, minLocalCandidates } from "./local-radius.ts";
import { readNearbyTiles } from "./nearby-tiles.ts";
import { proximityPointsOf, scoreRows } from "./score-rows.ts";
import type { TileSource } from "./tile-source.ts";
import { topIndices } from "./top-indices.ts";

/** Products that the first stage scores around the user for each candidate that it returns. */
const rowsReadPerCandidate = 8;
/**
 * Usual places around which the first stage also reads tiles; `share`: products read, relative to those around the
 * user.
 */
const usualPlaceReads = { places: 2, share: 0.25 };
/** Tiles read around each point, at most. */
const maxTilesPerPoint = 40;
/**
 * Products within the local radius after which tiles beyond it are not read. Larger than {@link minLocalCandidates},
 * since tiles on the edge also contain products beyond the radius.
 */
const minLocalRows = 4 * minLocalCandidates;

/** Blocks whose rows are candidates: leaf tiles, and rows of parent tiles whose child was not read. */
interface ScannedBlocks {
  blocks: Columns[];
  /** For each block, the rows that are candidates; null for all rows. */
  rows: (readonly number[] | null)[];
}

/** Reads the tiles around the user and their usual places. */
async function readBlocks(
  source: TileSource,
  { point, usual, limit, filter, weights }: FirstStageQuery,
  test: RowTest,
): Promise<ScannedBlocks> {
  const rows = limit * rowsReadPerCandidate;
  const limits = {
    minRows: rows,
    minLocalRows: Math.min(minLocalRows, rows),
    test,
    radiusKm: Number.POSITIVE_INFINITY,
    maxTiles: maxTilesPerPoint,
  };
  const places = usual
    .slice(0, weights.usual > 0 ? usualPlaceReads.places : 0)
    .filter(({ lat, lon }) => !point || distanceKm(point.lat, point.lon, lat, lon) <= localRadiusKm);
  const nearby = await Promise.all([
    readNearbyTiles(source, point, { ...limits, radiusKm: filter.radiusKm ?? Number.POSITIVE_INFINITY }),
    ...places.map((place) =>
      readNearbyTiles(source, place, { ...limits, minRows: rows * usualPlaceReads.share }),
    ),
  ]);
  const leaves = new Map<string, Columns>();
  const parents = new Map<string, Columns>();
  for (const each of nearby) {
    for (const tile of each.leaves) leaves.set(tile.meta.cell, tile);
    for (const tile of each.parents) parents.set(tile.meta.cell, tile);
  }
  const scanned: ScannedBlocks = { blocks: [...leaves.values()], rows: [...leaves.values()].map(() => null) };
  for (const tile of parents.values()) {
    const { children, childOfRow = [] } = tile.meta;
    const wasRead = children.map(({ cell }) => leaves.has(cell) || parents.has(cell));
    const rows: number[] = [];
    for (let row = 0; row < tile.count; row++) if (!wasRead[childOfRow[row]]) rows.push(row);
    scanned.blocks.push(tile);
    scanned.rows.push(rows);
  }
  return scanned;
}

/**
 * Returns the candidates of the cheap first stage, best first. It scores all products around the user and their usual
 * places, and the most popular of the wider region, in one pass over the columns. The cost depends on the number of
 * products nearby, not on the size of the catalog.
 */
export async function firstStageCandidates(source: TileSource, query: FirstStageQuery): Promise<Columns> {
  const filter = compileFilter(query.filter);
  const { blocks, rows } = await readBlocks(source, query, filter);
  const points = proximityPointsOf(query.point, query.usual, query.weights);
  const affinities = affinityWeights(categoryHoursOf(blocks), query.hour, query.categories, query.weights);
  const test = withinRadius(query, filter);
  const total = blocks.reduce((sum, block) => sum + block.count, 0);
  const scores = new Float64Array(total);
  const from = new Uint16Array(total);
  const row = new Uint32Array(total);
  let count = 0;
  const blockScores = new Float64Array(blocks.reduce((max, block) => Math.max(max, block.count), 0));
  for (const [i, block] of blocks.entries()) {
    scoreRows(block, points, affinities, query.weights, blockScores);
    const list = rows[i];
    const length = list ? list.length : block.count;
    for (let k = 0; k < length; k++) {
      const at = list ? list[k] : k;
      if (!test(block, at)) continue;
      scores[count] = blockScores[at];
      from[count] = i;
      row[count++] = at;
    }
  }
  const best = newestBestRows(
    scores,
    count,
    query.limit,
    (i) => blocks[from[i]].idHash[row[i]],
    (i) => blocks[from[i]].version[row[i]],
  );
  return concatRows(
    { blocks, from: best.map((i) => from[i]), rows: best.map((i) => row[i]), count: best.length },
    { cell: "", version: 0, time: query.now, children: [] },
  );
}

/**
 * Returns the indices of the `limit` best scores, each product once, by its newest version. Two tiles may contain a
 * product while it moves or while its cell splits.
 */
function newestBestRows(
  scores: Float64Array,
  count: number,
  limit: number,
  hashOf: (i: number) => number,
  versionOf: (i: number) => number,
): number[] {
  for (let wanted = limit; ; wanted *= 2) {
    const best = topIndices(scores, count, wanted);
    const newest = new Map<number, number>();
    for (const i of best) {
      const earlier = newest.get(hashOf(i));
      if (earlier === undefined || versionOf(i) > versionOf(earlier)) newest.set(hashOf(i), i);
    }
    if (newest.size === best.length) return best;
    if (newest.size >= limit || best.length === count)
      return best.filter((i) => newest.get(hashOf(i)) === i).slice(0, limit);
  }
}

/** Returns a test of the filter and, if the query has one, of the radius around the user. */
function withinRadius({ point, filter: { radiusKm } }: FirstStageQuery, test: RowTest): RowTest {
  if (!point || radiusKm === undefined) return test;
  return (block, row) =>
    test(block, row) && distanceKm(point.lat, point.lon, block.lat[row], block.lon[row]) <= radiusKm;
}
