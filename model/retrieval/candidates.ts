import type { ProductFilter } from "../../workers/shared/contracts/location.ts";
import type { Point } from "../../workers/shared/contracts/primitives.ts";
import { worldCell } from "../../workers/shared/geo/cells.ts";
import { distanceKm } from "../../workers/shared/geo/distance.ts";
import { ColumnsBuilder } from "../columns/builder.ts";
import type { Columns } from "../columns/columns.ts";
import { hash53 } from "../columns/hash.ts";
import { compileFilter } from "./filter.ts";
import { nearest } from "./nearest.ts";
import { popularity } from "./popularity.ts";
import { rowOfHash, type TileSource } from "./tiles.ts";

/** What the first stage is asked. */
export interface CandidateQuery {
  point: Point | null;
  limit: number;
  filter: ProductFilter;
  /** Seconds since the epoch: decayed columns of the answer are as of then. */
  now: number;
}

/** The first stage looks at so many of the nearest products for each one that it lets through ... */
const lookedAtPerWanted = 4;
/** ... and reads at most so many tiles for them. */
const maxTiles = 40;
/** What a doubling of 1 + distance in km costs, in the log units of {@link popularity}. */
const distanceWeight = 0.7;
/** Share of the answer that goes to the popular of a wider region, however far. */
const widerShare = 0.1;

interface Scored {
  tile: Columns;
  row: number;
  score: number;
}

/**
 * The cheap first stage: nearby products by popularity minus distance, both in log, and some of the most
 * popular of the region and the world. Cost depends on what is near, not on what exists.
 */
export async function candidates(source: TileSource, query: CandidateQuery): Promise<ArrayBuffer> {
  const { point, limit, now } = query;
  const test = compileFilter(query.filter);
  const radiusKm = query.filter.radiusKm ?? Number.POSITIVE_INFINITY;
  const near: Scored[] = [];
  if (point) {
    const { found } = await nearest(source, {
      point,
      limit: limit * lookedAtPerWanted,
      radiusKm,
      test,
      maxTiles,
    });
    for (const { tile, row, distanceKm: km } of found)
      near.push({ tile, row, score: popularity(tile, row) - distanceWeight * Math.log2(1 + km) });
  }
  const wide: Scored[] = [];
  for (const tile of await widerTiles(source, point === null))
    for (let row = 0; row < tile.count; row++) {
      if (!test(tile, row)) continue;
      const km = point ? distanceKm(point.lat, point.lon, tile.lat[row], tile.lon[row]) : 0;
      if (radiusKm < Number.POSITIVE_INFINITY && !(km <= radiusKm)) continue;
      const penalty = Number.isNaN(km) ? 0 : distanceWeight * Math.log2(1 + km);
      wide.push({ tile, row, score: popularity(tile, row) - penalty });
    }
  near.sort(byScore);
  wide.sort(byScore);
  const chosen = new Map<number, Scored>();
  const take = (list: Scored[], count: number) => {
    for (const each of list) {
      if (chosen.size >= count) return;
      const hash = each.tile.idHash[each.row];
      if (!chosen.has(hash)) chosen.set(hash, each);
    }
  };
  take(near, Math.ceil(limit * (1 - widerShare)));
  take(wide, limit);
  take(near, limit);
  const builder = new ColumnsBuilder(chosen.size);
  for (const { tile, row } of [...chosen.values()].sort(byScore)) builder.addFrom(tile, row, now);
  return builder.finish({ cell: "", version: 0, time: now, children: [] });
}

const byScore = (a: Scored, b: Scored): number =>
  b.score - a.score || a.tile.idHash[a.row] - b.tile.idHash[b.row];

/** The world's tile, and below it the shards of products without a place, where there are any. */
async function widerTiles(source: TileSource, all: boolean): Promise<Columns[]> {
  const world = await source.tile(worldCell);
  if (!world) return [];
  const placeless = world.meta.children.filter(({ cell }) => cell.startsWith(`${worldCell}-`));
  const shards =
    all || placeless.length > 0 ? await Promise.all(placeless.map(({ cell }) => source.tile(cell))) : [];
  return [world, ...shards.filter((tile) => tile !== null)];
}

/** Follows a product that has left the cell in which it was seen. */
export interface Forwards {
  /** The cell that holds the product now; null where it is gone. */
  forward(cell: string, productId: string): Promise<string | null>;
}

/** Columns of named products, from the cells in which they were last seen or those that they moved to. */
export async function columnsOf(
  source: TileSource & Forwards,
  wanted: readonly { productId: string; cell: string }[],
  now: number,
): Promise<ArrayBuffer> {
  const builder = new ColumnsBuilder(wanted.length);
  const cells = new Map<string, Promise<Columns | null>>();
  const tile = (cell: string): Promise<Columns | null> => {
    const asked = cells.get(cell) ?? source.tile(cell);
    cells.set(cell, asked);
    return asked;
  };
  const found = await Promise.all(
    wanted.map(async ({ productId, cell }) => {
      const hash = hash53(productId);
      const here = await tile(cell);
      const row = here ? rowOfHash(here, hash) : undefined;
      if (here && row !== undefined) return { columns: here, row };
      const moved = await source.forward(cell, productId);
      const there = moved && moved !== cell ? await tile(moved) : null;
      const at = there ? rowOfHash(there, hash) : undefined;
      return there && at !== undefined ? { columns: there, row: at } : null;
    }),
  );
  const seen = new Set<number>();
  for (const each of found) {
    if (!each || seen.has(each.columns.idHash[each.row])) continue;
    seen.add(each.columns.idHash[each.row]);
    builder.addFrom(each.columns, each.row, now);
  }
  return builder.finish({ cell: "", version: 0, time: now, children: [] });
}
