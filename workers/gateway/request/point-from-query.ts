import type { Point } from "../../../shared/contracts/primitives.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";

/**
 * Returns the point of the query parameters `lat` and `lon`, or undefined without them. Refuses one without the other.
 */
export function pointFromQuery(lat: number | undefined, lon: number | undefined): Point | undefined {
  if (lat !== undefined && lon !== undefined) return { lat, lon };
  if (lat === undefined && lon === undefined) return undefined;
  const path = lat === undefined ? "lat" : "lon";
  return throwRefusal("invalid_input", "A location needs both `lat` and `lon`; send both, or neither.", {
    issues: [{ path, message: "is missing" }],
  });
}
