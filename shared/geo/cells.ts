import {
  cellToCenterChild,
  cellToChildren,
  cellToLatLng,
  cellToParent,
  getResolution,
  isValidCell,
  latLngToCell,
} from "h3-js";
import type { Point } from "../contracts/primitives.ts";

/** H3 resolution of the coarsest cells that hold products: about 36 km², 3.7 km edge. By measurement: SCALE.md. */
export const leafResolution = 6;
/** H3 resolution of a product's address: about 0.1 km², 200 m edge. Cells that are full split down to it. */
export const addressResolution = 9;
/** Resolutions of the cells above the leaves; above the last of them stands {@link worldCell}. */
export const parentResolutions = [3, 1] as const;
/** The root of the pyramid. */
export const worldCell = "world";
/** Shards by id, where place tells products no further apart: of the placeless, and of an address that is full. */
export const shardCount = 8;
/** A cell that holds more products than this splits: its tile is rebuilt and read as a whole, about 1 MB at this size. */
export const maxCellProducts = 4000;

/** Shards within shards at most: 8^8 times {@link maxCellProducts} products. */
const maxDigits = 8;

/**
 * The address of a product: its H3 cell of {@link addressResolution}, or a shard of the world by id where it has no place.
 * It depends on nothing but the product; which cell holds it is the first on the address's path that has not split.
 */
export function addressOf(location: Point | null, idHash: number): string {
  return location
    ? latLngToCell(location.lat, location.lon, addressResolution)
    : `${worldCell}-${idHash % shardCount}`;
}

/** The coarsest cell on an address's path that holds products. */
export function leafCell(address: string): string {
  if (isPlaceless(address)) return address.slice(0, worldCell.length + 2);
  const base = baseOf(address);
  return getResolution(base) > leafResolution ? cellToParent(base, leafResolution) : base;
}

/** The leaf cell of a place, or of a product without one. */
export const leafCellAt = (location: Point | null, idHash: number): string =>
  leafCell(addressOf(location, idHash));

/**
 * The cell below `cell` on the path of an address: resolution by resolution down to the address, then shards by id, an octal
 * digit of its hash each. Null where the path ends.
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

/** The cells into which a cell splits; none where it cannot. */
export function childCells(cell: string): string[] {
  const digits = digitsOf(cell);
  if (digits === "" && getResolution(cell) < addressResolution)
    return cellToChildren(cell, getResolution(cell) + 1);
  if (digits.length >= maxDigits) return [];
  const prefix = digits === "" ? `${cell}-` : cell;
  return Array.from({ length: shardCount }, (_, digit) => `${prefix}${digit}`);
}

/** The cell above; null for the world. */
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

/** Whether a cell holds products without a place. */
export const isPlaceless = (cell: string): boolean => cell.startsWith(`${worldCell}-`);

/** Whether a name is that of a cell of the pyramid, or an address. */
export function isCellName(cell: string): boolean {
  if (cell === worldCell || /^world-[0-7]{1,8}$/.test(cell)) return true;
  const [base, digits] = cell.split("-");
  if (!isValidCell(base)) return false;
  const resolution = getResolution(base);
  if (digits !== undefined) return resolution === addressResolution && /^[0-7]{1,8}$/.test(digits);
  const holds = resolution >= leafResolution && resolution <= addressResolution;
  return holds || parentResolutions.some((each) => each === resolution);
}

/** Centre of an H3 cell; null for placeless ones. */
export function cellCenter(cell: string): Point | null {
  if (cell === worldCell || isPlaceless(cell)) return null;
  const [lat, lon] = cellToLatLng(baseOf(cell));
  return { lat, lon };
}

/** Whether a cell holds products itself, as long as it has not split. */
export const holdsProducts = (cell: string): boolean =>
  isPlaceless(cell) || (cell !== worldCell && getResolution(baseOf(cell)) >= leafResolution);

/** The first and the last address under a cell, by name: those of one cell lie together. */
export function addressRange(cell: string): { first: string; last: string } {
  if (cell === worldCell) return { first: "", last: "~" };
  const base = baseOf(cell);
  if (isPlaceless(cell)) return { first: leafCell(cell), last: leafCell(cell) };
  const resolution = getResolution(base);
  if (resolution === addressResolution) return { first: base, last: base };
  const first = cellToCenterChild(base, addressResolution);
  // Three bits a resolution, the finest of 15 last; 6 is the last child of each.
  const shift = BigInt(3 * (15 - addressResolution));
  let sixes = 0n;
  for (let i = resolution; i < addressResolution; i++) sixes = (sixes << 3n) | 6n;
  return { first, last: (BigInt(`0x${first}`) | (sixes << shift)).toString(16) };
}

/** A cell's name without its shard: an H3 cell, or the world. */
const baseOf = (cell: string): string => cell.split("-", 1)[0];

/** A shard's octal digits; empty for what is none. */
const digitsOf = (cell: string): string => cell.slice(baseOf(cell).length + 1);
