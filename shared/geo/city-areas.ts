import type { Point } from "../contracts/primitives.ts";
import { latLngToCell } from "./h3/points.ts";

/**
 * H3 resolution of the areas that index cities. An area is about 180 km across, so an area and its neighbors contain
 * all points within 150 km.
 */
export const areaResolution = 2;

/** Returns the area of a point: an H3 cell of {@link areaResolution}. */
export const areaOf = (point: Point): string => latLngToCell(point.lat, point.lon, areaResolution);
