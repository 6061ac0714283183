import type { Point } from "../../../shared/contracts/primitives.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";

/** A point of two query parameters: both or none. */
export function pointFromQuery(lat: number | undefined, lon: number | undefined): Point | undefined {
  if (lat !== undefined && lon !== undefined) return { lat, lon };
  if (lat === undefined && lon === undefined) return undefined;
  const path = lat === undefined ? "lat" : "lon";
  return throwRefusal("invalid_input", "A place takes both lat and lon.", {
    issues: [{ path, message: "is missing" }],
  });
}
