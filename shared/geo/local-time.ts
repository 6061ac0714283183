import tzlookup from "@photostructure/tz-lookup";
import { cellCenter } from "./cells.ts";
import { cachedUtcOffset } from "./timezone.ts";

const zones = new Map<string, (time: number) => number>();

/**
 * Returns the seconds that local time at a location is ahead of UTC at `time` (seconds since the epoch); 0 without a
 * location.
 */
export function utcOffsetAt(lat: number | null, lon: number | null, time: number): number {
  if (lat === null || lon === null) return 0;
  const zone = tzlookup(lat, lon);
  let offsets = zones.get(zone);
  if (!offsets) {
    offsets = cachedUtcOffset(zone);
    zones.set(zone, offsets);
  }
  return offsets(time);
}

/**
 * Returns a function from time to the seconds that local time at the center of a cell is ahead of UTC. The function
 * returns 0 for a cell without a center.
 */
export function cellUtcOffset(cell: string): (time: number) => number {
  const center = cellCenter(cell);
  return center ? cachedUtcOffset(tzlookup(center.lat, center.lon)) : () => 0;
}
