import { type EdgeLocation, edgeLocation } from "../../../shared/contracts/location.ts";
import { point } from "../../../shared/contracts/primitives.ts";

const unknownLocation: EdgeLocation = { city: null, country: null, point: null, timezone: null };

/** Returns a non-empty text, or null for anything else. */
const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/**
 * Returns where a request came from according to `request.cf`, whose coordinates are texts. Missing or malformed fields
 * are null; so is the point where a coordinate is missing or out of range.
 */
export function edgeLocationOf(cf: unknown): EdgeLocation {
  if (typeof cf !== "object" || cf === null) return unknownLocation;
  const field = (name: string): string | null => text(Reflect.get(cf, name));
  const [lat, lon] = [field("latitude"), field("longitude")];
  const parsed =
    lat === null || lon === null ? null : point.safeParse({ lat: Number(lat), lon: Number(lon) });
  return edgeLocation.parse({
    city: field("city"),
    country: field("country"),
    point: parsed?.success ? parsed.data : null,
    timezone: field("timezone"),
  });
}
