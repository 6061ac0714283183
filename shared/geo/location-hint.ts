import type { Point } from "../contracts/primitives.ts";

/** Location hints of Durable Objects, with the approximate center of each region. */
const hints = [
  { hint: "wnam", lat: 37, lon: -120 },
  { hint: "enam", lat: 39, lon: -77 },
  { hint: "sam", lat: -23, lon: -47 },
  { hint: "weur", lat: 50, lon: 2 },
  { hint: "eeur", lat: 52, lon: 21 },
  { hint: "apac", lat: 22, lon: 114 },
  { hint: "oc", lat: -34, lon: 151 },
  { hint: "afr", lat: -1, lon: 30 },
  { hint: "me", lat: 25, lon: 51 },
] as const;

export type LocationHint = (typeof hints)[number]["hint"];

/** All location hints. */
export const locationHints: readonly LocationHint[] = hints.map(({ hint }) => hint);

/**
 * Returns the location hint for a Durable Object of a user or cell at a point: the region whose center is nearest, by
 * degrees with longitudes scaled by the cosine of the latitude.
 */
export function locationHint(point: Point): LocationHint {
  let nearest: (typeof hints)[number] = hints[0];
  let smallest = Number.POSITIVE_INFINITY;
  for (const each of hints) {
    const dLat = each.lat - point.lat;
    const dLon =
      (((((each.lon - point.lon + 540) % 360) + 360) % 360) - 180) * Math.cos((point.lat * Math.PI) / 180);
    const squared = dLat * dLat + dLon * dLon;
    if (squared < smallest) {
      smallest = squared;
      nearest = each;
    }
  }
  return nearest.hint;
}
