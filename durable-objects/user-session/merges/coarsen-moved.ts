import { isFiner } from "../../../shared/consent/levels.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";
import { coarsenInBatches } from "../../../shared/geo/coarsen-point.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";

/** Returns a point of precision `from` at precision `to`; null if `to` stores no location. */
export type CoarsenMoved = (point: Point, from: Precision, to: Precision) => Promise<Point | null>;

/**
 * Returns the function that brings locations of a merged user to the precision of the user that stays. It asks the location
 * service once for those that are asked for at the same time, and for no point that has the precision already.
 */
export function coarsenMoved(location: Pick<LocationApi, "coarsenPoints">): CoarsenMoved {
  const coarsen = coarsenInBatches(location);
  return async (point, from, to) => (to === "none" || isFiner(from, to) ? coarsen(point, to) : point);
}
