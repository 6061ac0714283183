import { isFiner } from "../../../shared/consent/levels.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";
import { coarsenToCity, coarsenToKilometer } from "../../../shared/geo/coarsen.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";

/**
 * Brings the locations of a merged user to the precision of the user that stays. Asks the location service once for each
 * point, and for no point that has the precision already.
 */
export class MovedLocations {
  readonly #location: Pick<LocationApi, "coarsen">;
  readonly #known = new Map<string, Point>();

  constructor(location: Pick<LocationApi, "coarsen">) {
    this.#location = location;
  }

  /** Returns a point of precision `from` at precision `to`; null if `to` stores no location. */
  async coarsen(point: Point, from: Precision, to: Precision): Promise<Point | null> {
    if (to === "none") return null;
    if (!isFiner(from, to)) return point;
    if (to === "approximate") return coarsenToKilometer(point);
    const key = `${point.lat} ${point.lon}`;
    const known = this.#known.get(key);
    if (known) return known;
    const answer = await this.#location.coarsen(point, to);
    const coarse = answer.ok ? answer.value.point : coarsenToCity(point);
    this.#known.set(key, coarse);
    return coarse;
  }
}
