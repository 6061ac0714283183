import type { Point } from "../contracts/primitives.ts";
import { cellToLatLng, latLngToCell } from "./h3/points.ts";

/** H3 resolution whose cells are about 1 km across (0.53 km edge). */
const kilometerResolution = 8;

/**
 * Returns the center of the cell, about 1 km across, that contains the point. All points of a cell become one point.
 */
export function coarsenToKilometer(point: Point): Point {
  const [lat, lon] = cellToLatLng(latLngToCell(point.lat, point.lon, kilometerResolution));
  return { lat, lon };
}

/** H3 resolution whose cells are about 45 km across, the size of a large city. */
export const cityResolution = 4;

/** Returns the center of the cell, about 45 km across, that contains the point: precision `city` far from any city. */
export function coarsenToCity(point: Point): Point {
  const [lat, lon] = cellToLatLng(latLngToCell(point.lat, point.lon, cityResolution));
  return { lat, lon };
}
