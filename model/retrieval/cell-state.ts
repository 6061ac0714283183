import { eventTypes } from "../../shared/contracts/event.ts";
import type { ProductChange } from "../../shared/contracts/product.ts";
import { type HourTotals, lifetimeOf } from "../../shared/contracts/totals.ts";
import { addressOf } from "../../shared/geo/cells.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { seal } from "../columns/block.ts";
import { ColumnsBuilder, type ProductRow } from "../columns/builder.ts";
import { type ChildBlock, type Columns, decodeColumns, type NextProduct } from "../columns/columns.ts";
import { concat } from "../columns/concat.ts";
import { hash53 } from "../columns/hash.ts";
import { maxNextProducts } from "../columns/layout.ts";
import { engagementOf, hotOf, popularity } from "./popularity.ts";
import { top } from "./top.ts";

/** What a cell knows of one of its products. */
export interface CellProduct {
  change: ProductChange;
  /** Its address. */
  cell: string;
  /** What went on with it, ascending by hour. */
  hours: readonly HourTotals[];
  /** What people chose next, any order. */
  nextProducts: readonly NextProduct[];
}

/** A product's address by its place and id. */
export const addressOfProduct = ({
  productId,
  location,
}: Pick<ProductChange, "productId" | "location">): string => addressOf(location, hash53(productId));

/** Weight of a step by the number of steps between two choices. */
export const gapWeights: Record<number, number> = { 1: 1, 2: 0.5, 3: 0.25 };

/** Interactions by local hour (24) and weekday (7, Monday first). */
export function rhythmOf(
  hours: readonly HourTotals[],
  offsetAt: (time: number) => number,
): { hours: number[]; weekdays: number[] } {
  const byHour = new Array<number>(24).fill(0);
  const byWeekday = new Array<number>(7).fill(0);
  for (const hour of hours) {
    const local = hour.hour * 3600 + offsetAt(hour.hour * 3600);
    const weight = engagementOf(hour);
    byHour[Math.floor((((local % 86400) + 86400) % 86400) / 3600)] += weight;
    // 1970-01-01 was a Thursday.
    byWeekday[(((Math.floor(local / 86400) + 3) % 7) + 7) % 7] += weight;
  }
  return { hours: byHour, weekdays: byWeekday };
}

/** A product as the row that its cell's tile shows, as of `time`. */
export function rowOf(product: CellProduct, time: number, offsetAt: (time: number) => number): ProductRow {
  const { change, cell, hours } = product;
  const lifetime = lifetimeOf(hours);
  const rhythm = rhythmOf(hours, offsetAt);
  return {
    productId: change.productId,
    title: change.title,
    category: change.category,
    lat: change.location?.lat ?? null,
    lon: change.location?.lon ?? null,
    version: change.version,
    createdAt: change.createdAt,
    lastTime: hours.length > 0 ? hours[hours.length - 1].hour * 3600 : 0,
    price: change.price,
    currency: change.currency,
    discount: change.discount,
    rating: change.rating,
    available: change.available,
    cell,
    counts: [...eventTypes.map((type) => lifetime[type]), lifetime.people],
    hot: hotOf(hours, time),
    hours: rhythm.hours,
    weekdays: rhythm.weekdays,
    nextProducts: strongest(product.nextProducts),
  };
}

/** The strongest followers, ties by id. */
export const strongestOf = (nextProducts: readonly NextProduct[], most: number): NextProduct[] =>
  [...nextProducts]
    .sort((a, b) => b.weight - a.weight || (a.productId < b.productId ? -1 : 1))
    .slice(0, most);

/** The followers that a tile shows. */
export const strongest = (nextProducts: readonly NextProduct[]): NextProduct[] =>
  strongestOf(nextProducts, maxNextProducts);

/** A leaf cell's tile. */
export function buildLeaf(
  cell: string,
  version: number,
  time: number,
  products: Iterable<CellProduct>,
  offsetAt: (time: number) => number,
): ArrayBuffer {
  const rows = Array.from(products, (product) => rowOf(product, time, offsetAt));
  const builder = new ColumnsBuilder(rows.length);
  for (const row of rows) builder.addRow(row);
  return builder.finish({ cell, version, time, children: [] });
}

/** Rows that a child hands up, and that a parent keeps. */
export const handedUp = 100;
export const parentKeeps = 400;

/** What a child tells its parent: a cap that holds its products, and its best rows. */
export interface ChildReport {
  block: ChildBlock;
  /** Encoded columns. */
  best: ArrayBuffer;
}

/** The report of a tile to its parent; null where the tile is empty. */
export function reportOf(tile: Columns): ChildReport | null {
  const { cell, version, time, children } = tile.meta;
  const count = children.length > 0 ? children.reduce((sum, child) => sum + child.count, 0) : tile.count;
  if (count === 0) return null;
  const rows = bestRows(tile, handedUp);
  const list = { blocks: [tile], from: rows.map(() => 0), rows, count: rows.length };
  return {
    block: { cell, count, version, ...(children.length > 0 ? capOfCaps(children) : capOfRows(tile)) },
    best: seal(concat(list, { cell, version, time, children: [] }).packed),
  };
}

/** Indices of the most popular available rows. */
function bestRows(tile: Columns, limit: number): number[] {
  const scores = Float64Array.from(
    tile.idHash,
    (_, row) => popularity(tile, row) - (tile.available[row] ? 0 : 1000),
  );
  return top(scores, tile.count, limit);
}

interface Cap {
  lat: number;
  lon: number;
  radiusKm: number;
}

/** A cap around points; placeless rows are nowhere, so a block of them holds the whole globe. */
function capOfRows(tile: Columns): Cap {
  const center = meanDirection(
    tile.count,
    (i) => tile.lat[i],
    (i) => tile.lon[i],
  );
  if (!center) return wholeGlobe;
  let radiusKm = 0;
  for (let i = 0; i < tile.count; i++)
    radiusKm = Math.max(radiusKm, distanceKm(center.lat, center.lon, tile.lat[i], tile.lon[i]));
  return Number.isNaN(radiusKm) ? wholeGlobe : { ...center, radiusKm };
}

function capOfCaps(children: readonly ChildBlock[]): Cap {
  const placed = children.filter((child) => child.radiusKm < wholeGlobe.radiusKm);
  const center = meanDirection(
    placed.length,
    (i) => placed[i].lat,
    (i) => placed[i].lon,
  );
  if (!center || placed.length < children.length) return wholeGlobe;
  let radiusKm = 0;
  for (const child of placed)
    radiusKm = Math.max(radiusKm, distanceKm(center.lat, center.lon, child.lat, child.lon) + child.radiusKm);
  return { ...center, radiusKm };
}

const wholeGlobe: Cap = { lat: 0, lon: 0, radiusKm: 20_100 };

/** Centre of points on the sphere as the direction of the sum of their unit vectors; correct over poles and date line. */
function meanDirection(
  count: number,
  lat: (i: number) => number,
  lon: (i: number) => number,
): { lat: number; lon: number } | null {
  let x = 0;
  let y = 0;
  let z = 0;
  for (let i = 0; i < count; i++) {
    const phi = (lat(i) * Math.PI) / 180;
    const lambda = (lon(i) * Math.PI) / 180;
    x += Math.cos(phi) * Math.cos(lambda);
    y += Math.cos(phi) * Math.sin(lambda);
    z += Math.sin(phi);
  }
  const length = Math.hypot(x, y, z);
  if (!(length > 1e-9)) return null;
  return { lat: (Math.asin(z / length) * 180) / Math.PI, lon: (Math.atan2(y, x) * 180) / Math.PI };
}

/** A parent's tile: an index of its children and the best of their rows. */
export function buildParent(
  cell: string,
  version: number,
  time: number,
  reports: readonly ChildReport[],
): ArrayBuffer {
  const blocks = reports.map(({ best }) => {
    const block = decodeColumns(best);
    if (!block) throw new Error("a child's report is not a block");
    return block;
  });
  const rows = blocks.flatMap((block, from) =>
    Array.from({ length: block.count }, (_, row) => ({ from, row, score: popularity(block, row) })),
  );
  const kept = top(
    rows.map(({ score }) => score),
    rows.length,
    parentKeeps,
  ).map((i) => rows[i]);
  const list = {
    blocks,
    from: kept.map(({ from }) => from),
    rows: kept.map(({ row }) => row),
    count: kept.length,
  };
  const children = reports.map((report) => report.block);
  const meta = { cell, version, time, children, handedBy: kept.map(({ from }) => from) };
  return seal(concat(list, meta).packed);
}
