import { cellToLatLng, latLngToCell } from "h3-js";
import type { Point } from "../contracts/primitives.ts";

/** H3 resolution whose cells are about 1 km across (0.53 km edge). */
const kilometerResolution = 8;

/** The centre of the cell, about 1 km across, that holds the point: many points become one. */
export function coarsenToKilometer(point: Point): Point {
  const [lat, lon] = cellToLatLng(latLngToCell(point.lat, point.lon, kilometerResolution));
  return { lat, lon };
}

/** H3 resolution whose cells are about 45 km across: as large as the larger cities. */
const cityResolution = 4;

/** The centre of the cell, about 45 km across, that holds the point: as coarse as a city, where there is none. */
export function coarsenToCity(point: Point): Point {
  const [lat, lon] = cellToLatLng(latLngToCell(point.lat, point.lon, cityResolution));
  return { lat, lon };
}

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

/** The Durable Object location hint whose region's centre is nearest by longitude-scaled degrees. */
export function locationHint(point: Point): (typeof hints)[number]["hint"] {
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
