import { distanceKm } from "../../shared/geo/distance.ts";
import type { ChildBlock, Columns } from "../columns/columns.ts";

/** A spherical cap: all points within a radius of a center. */
export interface Cap {
  lat: number;
  lon: number;
  radiusKm: number;
}

/** The cap of the whole globe: its radius exceeds half of the Earth's circumference. */
const wholeGlobe: Cap = { lat: 0, lon: 0, radiusKm: 20_100 };

/** Returns a cap that contains all rows of a tile; the whole globe if a row has no location. */
export function capOfRows(tile: Columns): Cap {
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

/** Returns a cap that contains the caps of all children. */
export function capOfChildren(children: readonly ChildBlock[]): Cap {
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

/**
 * Returns the center of points on the sphere: the direction of the sum of their unit vectors, which is correct across
 * poles and the date line. Returns null for no points, and for points that cancel each other out.
 */
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
