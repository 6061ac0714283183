import type { Searched } from "../../shared/contracts/location.ts";
import type { FirstStageQuery } from "../../shared/contracts/retrieval.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { unitVectors, vectorDistanceKm } from "../../shared/geo/sphere.ts";
import type { Columns } from "../columns/columns.ts";
import { concatRows } from "../columns/concat-rows.ts";
import { rowVectorsOf } from "../columns/row-vectors.ts";
import { applySales } from "../columns/sale.ts";
import { affinityWeights, categoryHoursOf } from "./category-affinity.ts";
import { distinctBestRows } from "./distinct-rows.ts";
import { compileProductTest, type ProductTest } from "./filter.ts";
import { hideSmallCounts } from "./hide-small-counts.ts";
import { readNearbyTiles } from "./nearby-tiles.ts";
import { usualReachKm } from "./reach.ts";
import { applyDistanceTerm, proximityPointsOf, scoreRows } from "./score-rows.ts";
import { maxTilesPerSearch } from "./search-limits.ts";
import { leafOfRow } from "./searched-children.ts";
import type { TileSource } from "./tile-source.ts";

/** Products that the first stage scores around the user for each candidate that it returns. */
const rowsReadPerCandidate = 8;
/**
 * Matching products that are enough where products are sparse: beyond the usual reach, and after {@link manyTiles}.
 */
export const enoughRows = 200;
/** Tiles around a point after which {@link enoughRows} are enough. */
const manyTiles = 40;
/**
 * Usual places around which the first stage also reads tiles; `share`: products read, relative to those around the
 * user.
 */
const usualPlaceReads = { places: 2, share: 0.25 };

/** Blocks whose rows are candidates: leaf tiles, and rows of parent tiles whose child was not read. */
interface ScannedBlocks {
  blocks: Columns[];
  /** For each block, the rows that are candidates; null for all rows. */
  rows: (readonly number[] | null)[];
  searched: Searched;
}

/** Reads the tiles around the user and their usual places. */
async function readBlocks(
  source: TileSource,
  { point, usual, limit, weights }: FirstStageQuery,
  { row: test, mayContain, radiusKm }: ProductTest,
): Promise<ScannedBlocks> {
  const manyRows = Math.max(limit * rowsReadPerCandidate, 2 * enoughRows);
  const limits = { manyRows, manyTiles, enoughRows, test, mayContain, maxTiles: maxTilesPerSearch };
  // The search around the user goes as far as it must. Around a usual place, it adds what is there.
  const places = usual
    .slice(0, weights.usual > 0 ? usualPlaceReads.places : 0)
    .filter(({ lat, lon }) => !point || distanceKm(point.lat, point.lon, lat, lon) <= usualReachKm);
  const [around, ...others] = await Promise.all([
    readNearbyTiles(source, point, { ...limits, radiusKm }),
    ...places.map((place) =>
      readNearbyTiles(source, place, {
        ...limits,
        manyRows: manyRows * usualPlaceReads.share,
        maxTiles: manyTiles,
        radiusKm: usualReachKm,
      }),
    ),
  ]);
  const leaves = new Map<string, Columns>();
  const parents = new Map<string, Columns>();
  for (const each of [around, ...others]) {
    for (const tile of each.leaves) leaves.set(tile.meta.cell, tile);
    for (const tile of each.parents) parents.set(tile.meta.cell, tile);
  }
  const { searchedKm, complete } = around;
  const scanned: ScannedBlocks = {
    blocks: [...leaves.values()],
    rows: [...leaves.values()].map(() => null),
    searched: { radiusKm: point ? searchedKm : null, complete },
  };
  const here = point && unitVectors([point.lat], [point.lon], 1);
  for (const tile of parents.values()) {
    const { children, childOfRow = [] } = tile.meta;
    const wasRead = children.map(({ cell }) => leaves.has(cell) || parents.has(cell));
    const vectors = rowVectorsOf(tile);
    const rows: number[] = [];
    for (let row = 0; row < tile.count; row++) {
      const child = childOfRow[row];
      if (wasRead[child]) continue;
      const leaf = children[child]?.leaves ? leafOfRow(tile, row, children[child]) : null;
      if (leaf !== null && leaves.has(leaf)) continue;
      // A search that found enough needs no popular product from far away.
      const isFar = here && vectorDistanceKm(here, 0, vectors, row) > usualReachKm;
      if (!isFar || !complete) rows.push(row);
    }
    scanned.blocks.push(tile);
    scanned.rows.push(rows);
  }
  return scanned;
}

/**
 * Returns the candidates of the cheap first stage, best first. It scores all products around the user and their usual
 * places in one pass over the columns. Where few products match, it widens the search ring by ring: then the nearest
 * {@link enoughRows} matching products are among those scored. The block's `meta.searched` says how far it went.
 * The cost depends on the number of products nearby, not on the size of the catalog. If the query hides small counts,
 * what fewer than `minUsersShown` users did does not count, and is not in the block. Nor does the hour then, because the
 * hours of a category are those of all users.
 */
export async function firstStageCandidates(
  source: TileSource,
  query: FirstStageQuery,
  minUsersShown = 0,
): Promise<Columns> {
  const minUsers = query.hidesSmallCounts ? minUsersShown : 0;
  const productTest = compileProductTest(query);
  const { blocks, rows, searched } = await readBlocks(source, query, productTest);
  const here = query.point && unitVectors([query.point.lat], [query.point.lon], 1);
  const points = proximityPointsOf(query.point, query.usual, query.weights);
  const hour = minUsers > 1 ? null : query.hour;
  const affinities = affinityWeights(categoryHoursOf(blocks), hour, query.categories, query.weights);
  const test = productTest.row;
  const total = blocks.reduce((sum, block) => sum + block.count, 0);
  const scores = new Float64Array(total);
  const from = new Uint16Array(total);
  const row = new Uint32Array(total);
  let count = 0;
  const blockScores = new Float64Array(blocks.reduce((max, block) => Math.max(max, block.count), 0));
  for (const [i, block] of blocks.entries()) {
    scoreRows(block, points, affinities, query.weights, minUsers, blockScores);
    if (here) applyDistanceTerm(block, here, blockScores);
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
  const best = distinctBestRows({ scores, count, blocks, from, row }, query.limit, query.caps);
  const candidates = concatRows(
    { blocks, from: best.map((i) => from[i]), rows: best.map((i) => row[i]), count: best.length },
    { cell: "", version: 0, time: query.now, children: [], searched },
    { addresses: false, nextProducts: 0 },
  );
  applySales(candidates, query.now);
  hideSmallCounts(candidates, minUsers);
  return candidates;
}
