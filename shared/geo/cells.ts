import type { Point } from "../contracts/primitives.ts";
import { earthRadiusKm } from "./distance.ts";
import {
  cellToCenterChild,
  cellToChildren,
  cellToParent,
  getResolution,
  isValidCell,
} from "./h3/cell-index.ts";
import { cellToLatLng, latLngToCell } from "./h3/points.ts";

/** H3 resolution of the coarsest cells that hold products: about 36 km², 3.7 km edge. SCALE.md has the measurement. */
export const leafResolution = 6;
/** H3 resolution of a product's address: about 0.1 km², 200 m edge. Full cells split down to this resolution. */
export const addressResolution = 9;
/** H3 resolutions of the cells above the leaf cells, finest first. The parent of the last one is {@link worldCell}. */
export const parentResolutions = [3, 1] as const;
/** Name of the root of the cell pyramid. */
export const worldCell = "world";
/**
 * Number of shards by product id, where location no longer separates products: for products without a location, and for
 * full cells at an address.
 */
export const shardCount = 8;
/**
 * A cell with more products than this splits. The tile of a cell is one object in KV, and takes about 1 MB at this
 * size.
 */
export const maxCellProducts = 4000;

/** Maximum depth of nested shards: 8^8 shards of {@link maxCellProducts} products each. */
const maxDigits = 8;

/**
 * Returns the address of a product: its H3 cell of {@link addressResolution}, or `world-N` (a shard by id) for a
 * product without a location. The address depends on the product alone. The product is stored in the first cell on
 * the address's path that has not split.
 */
export function addressOf(location: Point | null, idHash: number): string {
  return location
    ? latLngToCell(location.lat, location.lon, addressResolution)
    : `${worldCell}-${idHash % shardCount}`;
}

/** Returns the coarsest cell on an address's path that can hold products. */
export function leafCell(address: string): string {
  if (isPlaceless(address)) return address.slice(0, worldCell.length + 2);
  const base = baseOf(address);
  return getResolution(base) > leafResolution ? cellToParent(base, leafResolution) : base;
}

/** Returns the leaf cell of a location, or of a product without a location. */
export const leafCellAt = (location: Point | null, idHash: number): string =>
  leafCell(addressOf(location, idHash));

/**
 * Returns the cell below `cell` on the path of an address, or null at the end of the path. The path leads from
 * resolution to resolution down to the address, and then through shards, one octal digit of the id's hash each.
 */
export function nextCellToward(cell: string, address: string, idHash: number): string | null {
  const digits = digitsOf(cell);
  if (digits === "" && cell !== address) {
    const resolution = getResolution(cell) + 1;
    return getResolution(address) < resolution ? null : cellToParent(address, resolution);
  }
  if (digits.length >= maxDigits || (digits === "" && getResolution(cell) < addressResolution)) return null;
  const digit = Math.floor(idHash / shardCount ** digits.length) % shardCount;
  return digits === "" ? `${cell}-${digit}` : `${cell}${digit}`;
}

/** Returns the cells that a cell splits into; none if it cannot split. */
export function childCells(cell: string): string[] {
  const digits = digitsOf(cell);
  if (digits === "" && getResolution(cell) < addressResolution)
    return cellToChildren(cell, getResolution(cell) + 1);
  if (digits.length >= maxDigits) return [];
  const prefix = digits === "" ? `${cell}-` : cell;
  return Array.from({ length: shardCount }, (_, digit) => `${prefix}${digit}`);
}

/** Returns the parent of a cell; null for {@link worldCell}. */
export function parentCell(cell: string): string | null {
  if (cell === worldCell) return null;
  const digits = digitsOf(cell);
  if (digits.length > 1) return cell.slice(0, -1);
  if (digits.length === 1) return baseOf(cell);
  const resolution = getResolution(cell);
  if (resolution > leafResolution) return cellToParent(cell, resolution - 1);
  const above = parentResolutions.find((each) => each < resolution);
  return above === undefined ? worldCell : cellToParent(cell, above);
}

/** Returns whether a cell holds products without a location. */
export const isPlaceless = (cell: string): boolean => cell.startsWith(`${worldCell}-`);

/**
 * Returns the nearest cell above `cell` that never holds products itself: it knows the versions of all leaves below it.
 * Returns the cell itself if it is such a cell.
 */
export function directoryCell(cell: string): string {
  if (isPlaceless(cell)) return worldCell;
  return holdsProducts(cell) ? cellToParent(baseOf(cell), parentResolutions[0]) : cell;
}

/** Directions in which {@link directoryCellsAround} looks, enough that no cell of 60 km is between two of them. */
const bearings = Array.from({ length: 8 }, (_, i) => (i * Math.PI) / 4);

/** Returns the point at a distance from another one, in the direction of a bearing in radians from north. */
function pointAt({ lat, lon }: Point, km: number, bearing: number): Point {
  const radians = Math.PI / 180;
  const angle = km / earthRadiusKm;
  const sinLat =
    Math.sin(lat * radians) * Math.cos(angle) + Math.cos(lat * radians) * Math.sin(angle) * Math.cos(bearing);
  const east = Math.sin(bearing) * Math.sin(angle) * Math.cos(lat * radians);
  const north = Math.cos(angle) - Math.sin(lat * radians) * sinLat;
  const degrees = lon + Math.atan2(east, north) / radians;
  return { lat: Math.asin(sinLat) / radians, lon: ((((degrees + 180) % 360) + 360) % 360) - 180 };
}

/**
 * Returns the cells above the leaves around a point: nearly all whose leaves may be within `reachKm`, and all cells above
 * them, the coarsest first. Without a point, returns the world alone.
 */
export function directoryCellsAround(point: Point | null, reachKm: number): string[] {
  if (!point) return [worldCell];
  const [finest, ...coarser] = parentResolutions;
  const points = [point, ...bearings.map((bearing) => pointAt(point, reachKm, bearing))];
  const near = [...new Set(points.map(({ lat, lon }) => latLngToCell(lat, lon, finest)))];
  const above = coarser.flatMap((resolution) => near.map((cell) => cellToParent(cell, resolution)));
  return [...new Set([worldCell, ...above, ...near])];
}

/** Returns whether a string is the name of a cell of the pyramid, or an address. */
export function isCellName(cell: string): boolean {
  if (cell === worldCell || /^world-[0-7]{1,8}$/.test(cell)) return true;
  const [base, digits] = cell.split("-");
  if (!isValidCell(base)) return false;
  const resolution = getResolution(base);
  if (digits !== undefined) return resolution === addressResolution && /^[0-7]{1,8}$/.test(digits);
  const holds = resolution >= leafResolution && resolution <= addressResolution;
  return holds || parentResolutions.some((each) => each === resolution);
}

/** Returns the center of an H3 cell; null for the world and for cells of products without a location. */
export function cellCenter(cell: string): Point | null {
  if (cell === worldCell || isPlaceless(cell)) return null;
  const [lat, lon] = cellToLatLng(baseOf(cell));
  return { lat, lon };
}

/** Returns whether a cell is at a level of the pyramid that holds products, until the cell splits. */
export const holdsProducts = (cell: string): boolean =>
  isPlaceless(cell) || (cell !== worldCell && getResolution(baseOf(cell)) >= leafResolution);

/** Returns the first and last address under a cell. In alphabetical order, the addresses of a cell form one range. */
export function addressRange(cell: string): { first: string; last: string } {
  if (cell === worldCell) return { first: "", last: "~" };
  const base = baseOf(cell);
  if (isPlaceless(cell)) return { first: leafCell(cell), last: leafCell(cell) };
  const resolution = getResolution(base);
  if (resolution === addressResolution) return { first: base, last: base };
  const first = cellToCenterChild(base, addressResolution);
  // An H3 index has three bits for each of 15 resolutions, the finest last. The last child of a cell has digit 6.
  const shift = BigInt(3 * (15 - addressResolution));
  let sixes = 0n;
  for (let i = resolution; i < addressResolution; i++) sixes = (sixes << 3n) | 6n;
  return { first, last: (BigInt(`0x${first}`) | (sixes << shift)).toString(16) };
}

/** Returns a cell's name without its shard: an H3 cell, or `world`. */
const baseOf = (cell: string): string => cell.split("-", 1)[0];

/** Returns the octal digits of a shard; empty for a cell that is not a shard. */
const digitsOf = (cell: string): string => cell.slice(baseOf(cell).length + 1);
