import type { DatasetItem } from "./dataset.ts";
import type { NamedPlace } from "./read-events.ts";
import type { ReadLog } from "./read-report.ts";

/** Degrees by which the places that events name for one product may differ: about 1 km. */
const maxSpread = 0.01;

/** Collects the places that events name for their products: the first place, and whether another lies elsewhere. */
export class PlacesOfEvents {
  readonly #places = new Map<string, { lat: number; lon: number; scattered: boolean }>();

  add({ itemId, lat, lon }: NamedPlace): void {
    const known = this.#places.get(itemId);
    if (!known) this.#places.set(itemId, { lat, lon, scattered: false });
    else if (Math.abs(known.lat - lat) > maxSpread || Math.abs(known.lon - lon) > maxSpread)
      known.scattered = true;
  }

  /** Gives products without a place the place that their events name, unless the events name several. */
  applyTo(items: ReadonlyMap<string, DatasetItem>, log: ReadLog): void {
    let placed = 0;
    let scattered = 0;
    for (const [id, place] of this.#places) {
      const item = items.get(id);
      if (!item || item.lat !== null) continue;
      if (place.scattered) scattered++;
      else {
        item.lat = place.lat;
        item.lon = place.lon;
        placed++;
      }
    }
    const count = (n: number): string => n.toLocaleString("en");
    if (placed > 0) log.guess(`products placed where their events are: ${count(placed)}`, 0);
    if (scattered > 0)
      log.note(`products without a place, since their events lie more than 1 km apart: ${count(scattered)}`);
  }
}
