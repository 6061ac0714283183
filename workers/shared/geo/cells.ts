import { cellToLatLng, cellToParent, getResolution, isValidCell, latLngToCell } from "h3-js";
import type { Point } from "../contracts/primitives.ts";

/** H3 resolution of the cells that hold products: about 36 km², 3.7 km edge. */
export const leafResolution = 6;
/** Resolutions of the cells above the leaves; above the last of them stands {@link worldCell}. */
export const parentResolutions = [3, 1] as const;
/** The root of the pyramid. */
export const worldCell = "world";
/** Leaf cells of products without a place, so that no single object holds them all. */
export const placelessShards = 8;

/** The leaf cell of a product: its H3 cell, or a shard by id where it has no place. */
export function leafCellOf(location: Point | null, idHash: number): string {
  return location
    ? latLngToCell(location.lat, location.lon, leafResolution)
    : `${worldCell}-${idHash % placelessShards}`;
}

/** The cell above; null for the world. */
export function parentOf(cell: string): string | null {
  if (cell === worldCell) return null;
  if (isPlaceless(cell)) return worldCell;
  const resolution = getResolution(cell);
  const above = parentResolutions.find((each) => each < resolution);
  return above === undefined ? worldCell : cellToParent(cell, above);
}

/** Whether a cell holds products without a place. */
export const isPlaceless = (cell: string): boolean => cell.startsWith(`${worldCell}-`);

/** Whether a name is that of a cell of the pyramid. */
export const isCellName = (cell: string): boolean =>
  cell === worldCell ||
  /^world-[0-7]$/.test(cell) ||
  (isValidCell(cell) && [leafResolution, ...parentResolutions].includes(getResolution(cell)));

/** Centre of an H3 cell; null for placeless ones. */
export function centreOf(cell: string): Point | null {
  if (cell === worldCell || isPlaceless(cell)) return null;
  const [lat, lon] = cellToLatLng(cell);
  return { lat, lon };
}

/** Whether a cell holds products itself. */
export const isLeaf = (cell: string): boolean =>
  isPlaceless(cell) || (cell !== worldCell && getResolution(cell) === leafResolution);
