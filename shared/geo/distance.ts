/** Mean radius of the Earth in km (IUGG, R1). */
export const earthRadiusKm = 6371.0088;
const radians = Math.PI / 180;

/**
 * Returns the great-circle distance in km between two points in WGS84 degrees, by the haversine formula
 * (Sinnott, "Virtues of the Haversine", Sky and Telescope 68(2), 1984): well-conditioned for small distances.
 */
export function distanceKm(latA: number, lonA: number, latB: number, lonB: number): number {
  const sinLat = Math.sin(((latB - latA) * radians) / 2);
  const sinLon = Math.sin(((lonB - lonA) * radians) / 2);
  const h = sinLat * sinLat + Math.cos(latA * radians) * Math.cos(latB * radians) * sinLon * sinLon;
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)));
}
