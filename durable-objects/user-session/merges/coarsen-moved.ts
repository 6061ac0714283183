import { isFiner } from "../../../shared/consent/levels.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";
import { coarsenInOneCall } from "../../../shared/geo/coarsen-point.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";

/**
 * Returns the function that brings the locations of a merged user to the precision `to` of the user that stays: null if
 * that user's consent allows none. A location that is coarse enough stays as it is. `locations` are those that the
 * function will be asked for, at most 1,000, each with its precision.
 */
export async function coarsenMoved(
  location: Pick<LocationApi, "coarsen" | "coarsenPoints">,
  locations: readonly { point: Point; precision: Precision }[],
  to: Precision,
): Promise<(point: Point, precision: Precision) => Promise<Point | null>> {
  const finer = locations.filter(({ precision }) => isFiner(precision, to)).map(({ point }) => point);
  const coarsen = await coarsenInOneCall(location, finer, to);
  return async (point, precision) => (to === "none" || isFiner(precision, to) ? coarsen(point, to) : point);
}
