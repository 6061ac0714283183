import { type EdgeLocation, edgeLocation } from "../../../shared/contracts/location.ts";
import { point } from "../../../shared/contracts/primitives.ts";

const unknownLocation: EdgeLocation = { city: null, country: null, point: null, timezone: null };

/** A text of the platform's, null where it says nothing or what does not fit. */
const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/**
 * What the edge knows of where a request came from: `request.cf`, whose coordinates are texts. A place that
 * is given by halves or out of range is no place.
 */
export function edgeLocationOf(cf: unknown): EdgeLocation {
  if (typeof cf !== "object" || cf === null) return unknownLocation;
  const read = (name: string): string | null => text(Reflect.get(cf, name));
  const [lat, lon] = [read("latitude"), read("longitude")];
  const at = lat === null || lon === null ? null : point.safeParse({ lat: Number(lat), lon: Number(lon) });
  return edgeLocation.parse({
    city: read("city"),
    country: read("country"),
    point: at?.success ? at.data : null,
    timezone: read("timezone"),
  });
}
