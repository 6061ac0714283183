import tzlookup from "@photostructure/tz-lookup";
import { cellCenter } from "./cells.ts";
import { cachedUtcOffset } from "./timezone.ts";

const zones = new Map<string, (time: number) => number>();

/** Seconds that the clocks of a place are ahead of UTC at a moment; 0 where there is no place. */
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

/** How far the clocks at the centre of a cell are ahead of UTC, by time; not at all where it is nowhere. */
export function cellUtcOffset(cell: string): (time: number) => number {
  const center = cellCenter(cell);
  return center ? cachedUtcOffset(tzlookup(center.lat, center.lon)) : () => 0;
}
