import { latLngToCell } from "h3-js";
import type { Point } from "../contracts/primitives.ts";

/** H3 resolution of the areas by which cities are found: about 180 km across, so a disk of one reaches 150 km. */
export const areaResolution = 2;

/** The area of a point. */
export const areaOf = (point: Point): string => latLngToCell(point.lat, point.lon, areaResolution);
