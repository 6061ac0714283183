import type { Point } from "../../../shared/contracts/primitives.ts";
import { cityResolution, coarsenToCity } from "../../../shared/geo/coarsen.ts";
import { countryOf } from "../../../shared/geo/country.ts";
import { distanceKm } from "../../../shared/geo/distance.ts";
import { cellToChildren } from "../../../shared/geo/h3/cell-index.ts";
import { cellToLatLng, latLngToCell } from "../../../shared/geo/h3/points.ts";

/** Resolutions below that of the cell in which a part of the cell in the country is searched: 49 parts of about 6 km. */
const partResolutions = 2;

/**
 * Returns the center of the cell of about 45 km that contains the point. If that center is in another country, returns
 * the center of the part of the cell that is nearest to it and in `country`. The result depends on the cell and the
 * country alone, so that it does not tell where in the cell the point is. If no part is in the country, returns the
 * center of the cell.
 */
export function coarsenWithinCountry(point: Point, country: string | null): Point {
  const center = coarsenToCity(point);
  if (countryOf(center) === country) return center;
  const cell = latLngToCell(point.lat, point.lon, cityResolution);
  const parts = cellToChildren(cell, cityResolution + partResolutions)
    .map((part) => {
      const [lat, lon] = cellToLatLng(part);
      return { lat, lon, km: distanceKm(center.lat, center.lon, lat, lon) };
    })
    .sort((a, b) => a.km - b.km);
  const nearest = parts.find((part) => countryOf(part) === country);
  return nearest ? { lat: nearest.lat, lon: nearest.lon } : center;
}
