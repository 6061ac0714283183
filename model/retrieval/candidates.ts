import type { FirstStageQuery, ProductRef } from "../../shared/contracts/retrieval.ts";
import { childToward, leafOf } from "../../shared/geo/cells.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { Columns } from "../columns/columns.ts";
import { concat } from "../columns/concat.ts";
import { hash53 } from "../columns/hash.ts";
import { affinityWeights, categoryHoursOf } from "./category-affinity.ts";
import { compileFilter, type RowTest } from "./filter.ts";
import { enoughNear, reachKm } from "./reach.ts";
import { scoreRows, vantageOf } from "./scan.ts";
import { rowOfHash, type TileSource } from "./tiles.ts";
import { tilesAround } from "./tiles-around.ts";
import { top } from "./top.ts";

/** The first stage looks at about so many products around the person for each one that it lets through ... */
const lookedAtPerWanted = 8;
/** ... at a share of that around each of the first usual places within reach ... */
const usualLookedAt = { places: 2, share: 0.25 };
/** ... and reads at most so many tiles for each. */
const maxTiles = 40;
/** Enough where the rest is beyond reach: of these, the tiles on its edge may hold some that are beyond it too. */
const enoughInTiles = 4 * enoughNear;

/** Blocks whose rows are candidates, each product once: leaves, and what parents hold of children that were not read. */
interface Scanned {
  blocks: Columns[];
  /** For each parent block, the rows that count; null for all rows of a leaf. */
  rows: (readonly number[] | null)[];
}

async function tilesFor(
  source: TileSource,
  { point, usual, limit, filter, weights }: FirstStageQuery,
  test: RowTest,
): Promise<Scanned> {
  const rows = limit * lookedAtPerWanted;
  const extent = {
    rows,
    near: Math.min(enoughInTiles, rows),
    test,
    radiusKm: Number.POSITIVE_INFINITY,
    maxTiles,
  };
  const places = usual
    .slice(0, weights.usual > 0 ? usualLookedAt.places : 0)
    .filter(({ lat, lon }) => !point || distanceKm(point.lat, point.lon, lat, lon) <= reachKm);
  const around = await Promise.all([
    tilesAround(source, point, { ...extent, radiusKm: filter.radiusKm ?? Number.POSITIVE_INFINITY }),
    ...places.map((place) => tilesAround(source, place, { ...extent, rows: rows * usualLookedAt.share })),
  ]);
  const leaves = new Map<string, Columns>();
  const parents = new Map<string, Columns>();
  for (const each of around) {
    for (const tile of each.leaves) leaves.set(tile.meta.cell, tile);
    for (const tile of each.parents) parents.set(tile.meta.cell, tile);
  }
  const scanned: Scanned = { blocks: [...leaves.values()], rows: [...leaves.values()].map(() => null) };
  for (const tile of parents.values()) {
    const { children, handedBy = [] } = tile.meta;
    const read = children.map(({ cell }) => leaves.has(cell) || parents.has(cell));
    const rows: number[] = [];
    for (let row = 0; row < tile.count; row++) if (!read[handedBy[row]]) rows.push(row);
    scanned.blocks.push(tile);
    scanned.rows.push(rows);
  }
  return scanned;
}

/**
 * The cheap first stage: all products around where the person is and usually is, and the most popular of the wider
 * region, by one score in one pass over the columns, best first. Cost depends on what is near, not on what exists.
 */
export async function candidates(source: TileSource, query: FirstStageQuery): Promise<Columns> {
  const passes = compileFilter(query.filter);
  const { blocks, rows } = await tilesFor(source, query, passes);
  const vantage = vantageOf(query.point, query.usual, query.weights);
  const affinities = affinityWeights(categoryHoursOf(blocks), query.hour, query.categories, query.weights);
  const test = within(query, passes);
  const total = blocks.reduce((sum, block) => sum + block.count, 0);
  const scores = new Float64Array(total);
  const from = new Uint16Array(total);
  const row = new Uint32Array(total);
  let count = 0;
  const own = new Float64Array(blocks.reduce((most, block) => Math.max(most, block.count), 0));
  for (const [i, block] of blocks.entries()) {
    scoreRows(block, vantage, affinities, query.weights, own);
    const list = rows[i];
    const length = list ? list.length : block.count;
    for (let k = 0; k < length; k++) {
      const at = list ? list[k] : k;
      if (!test(block, at)) continue;
      scores[count] = own[at];
      from[count] = i;
      row[count++] = at;
    }
  }
  const best = bestRows(
    scores,
    count,
    query.limit,
    (i) => blocks[from[i]].idHash[row[i]],
    (i) => blocks[from[i]].version[row[i]],
  );
  return concat(
    { blocks, from: best.map((i) => from[i]), rows: best.map((i) => row[i]), count: best.length },
    { cell: "", version: 0, time: query.now, children: [] },
  );
}

/**
 * The best rows, each product once by its newest version: while it moves, or its cell splits, two tiles may show it. Where that
 * happens, the next best move up.
 */
function bestRows(
  scores: Float64Array,
  count: number,
  limit: number,
  hashOf: (i: number) => number,
  versionOf: (i: number) => number,
): number[] {
  for (let wanted = limit; ; wanted *= 2) {
    const best = top(scores, count, wanted);
    const kept = new Map<number, number>();
    for (const i of best) {
      const known = kept.get(hashOf(i));
      if (known === undefined || versionOf(i) > versionOf(known)) kept.set(hashOf(i), i);
    }
    if (kept.size === best.length) return best;
    if (kept.size >= limit || best.length === count)
      return best.filter((i) => kept.get(hashOf(i)) === i).slice(0, limit);
  }
}

/** The filter, and the radius around the person where one is given. */
function within({ point, filter: { radiusKm } }: FirstStageQuery, test: RowTest): RowTest {
  if (!point || radiusKm === undefined) return test;
  return (block, row) =>
    test(block, row) && distanceKm(point.lat, point.lon, block.lat[row], block.lon[row]) <= radiusKm;
}

/** Follows a product that has left the cell in which it was seen. */
export interface Forwards {
  /** The cell that holds the product now; null where it is gone. */
  forward(cell: string, productId: string): Promise<string | null>;
}

/** A product moves at most so often on between what is remembered of it and what is true. */
const maxMoves = 4;

/** The row of a product: down the path of its address to the tile that holds it, and on to where it moved from there. */
async function find(
  source: Forwards,
  tileOf: (cell: string) => Promise<Columns | null>,
  { productId, cell }: ProductRef,
): Promise<{ block: Columns; row: number } | null> {
  const hash = hash53(productId);
  let address = cell;
  for (let moves = 0; moves < maxMoves; moves++) {
    let holder = leafOf(address);
    let block = await tileOf(holder);
    while (block && block.meta.children.length > 0) {
      const next = childToward(holder, address, hash);
      if (next === null) return null;
      holder = next;
      block = await tileOf(holder);
    }
    const row = block ? rowOfHash(block, hash) : undefined;
    if (block && row !== undefined) return { block, row };
    const to = await source.forward(holder, productId);
    if (to === null || to === address) return null;
    address = to;
  }
  return null;
}

/**
 * Columns of named products, from the cells in which they were last seen or those that they moved to, each once, in the
 * order of the names; those that are nowhere are left out. The first `withNeighbours` names come with their neighbours.
 */
export async function columnsOf(
  source: TileSource & Forwards,
  wanted: readonly ProductRef[],
  now: number,
  withNextProducts: number,
): Promise<Columns> {
  const read = new Map<string, Promise<Columns | null>>();
  const tileOf = (cell: string): Promise<Columns | null> => {
    const known = read.get(cell) ?? source.tile(cell);
    read.set(cell, known);
    return known;
  };
  const found = await Promise.all(wanted.map((each) => find(source, tileOf, each)));
  const blocks: Columns[] = [];
  const indexOf = new Map<Columns, number>();
  const seen = new Set<number>();
  const from: number[] = [];
  const rows: number[] = [];
  let first = 0;
  for (const [i, each] of found.entries()) {
    if (!each || seen.has(each.block.idHash[each.row])) continue;
    seen.add(each.block.idHash[each.row]);
    let at = indexOf.get(each.block);
    if (at === undefined) {
      at = blocks.push(each.block) - 1;
      indexOf.set(each.block, at);
    }
    from.push(at);
    rows.push(each.row);
    if (i < withNextProducts) first = rows.length;
  }
  return concat(
    { blocks, from, rows, count: rows.length },
    { cell: "", version: 0, time: now, children: [] },
    first,
  );
}
