import { maxCoarsenedPoints } from "../contracts/location.ts";
import type { Point, Precision } from "../contracts/primitives.ts";
import type { Result } from "../contracts/result.ts";
import type { LocationApi } from "../services/location-api.ts";
import { coarsenToCity, coarsenToKilometer } from "./coarsen.ts";

/**
 * Returns a point coarsened to a precision. Call this before anything is computed from the point or stores it. At `none`,
 * a point is used for the answer to its request as it is, and stored nowhere.
 */
export async function coarsenPoint(
  location: Pick<LocationApi, "coarsen">,
  point: Point,
  precision: Precision,
): Promise<Point> {
  if (precision === "exact" || precision === "none") return point;
  if (precision === "approximate") return coarsenToKilometer(point);
  const coarse = await location.coarsen(point, precision);
  return coarse.ok ? coarse.value.point : coarsenToCity(point);
}

/** Returns a point to store at a precision: null at `none`. */
export type CoarsenToStore = (point: Point, precision: Precision) => Promise<Point | null>;

/** Returns the function that asks the location service for each point. */
export const coarsenEach =
  (location: Pick<LocationApi, "coarsen">): CoarsenToStore =>
  async ({ lat, lon }, precision) =>
    precision === "none" ? null : coarsenPoint(location, { lat, lon }, precision);

const keyOf = ({ lat, lon }: Point): string => `${lat} ${lon}`;

/**
 * Returns the function that knows the coarsened form of some points, at most 1,000, which are coarsened in one call. It
 * asks the location service for other points and precisions.
 */
export async function coarsenInOneCall(
  location: Pick<LocationApi, "coarsen" | "coarsenPoints">,
  points: readonly Point[],
  precision: Precision,
): Promise<CoarsenToStore> {
  const each = coarsenEach(location);
  if (precision !== "city") return each;
  const distinct = [...new Map(points.map(({ lat, lon }) => [keyOf({ lat, lon }), { lat, lon }])).values()];
  const coarse = distinct.length === 0 ? null : await location.coarsenPoints(distinct, precision);
  if (!coarse?.ok) return each;
  const known = new Map(distinct.map((point, i) => [keyOf(point), coarse.value[i]]));
  return async (point, wanted) => {
    const found = wanted === precision ? known.get(keyOf(point)) : undefined;
    return found ?? each(point, wanted);
  };
}

/**
 * Returns the function that asks the location service once for all points that are asked for at the same time: a request
 * may call other workers 32 times.
 */
export function coarsenInBatches(location: Pick<LocationApi, "coarsenPoints">): CoarsenToStore {
  let batch: { points: Point[]; answer: Promise<Result<Point[]>> } | null = null;
  const cityOf = async (point: Point): Promise<Point> => {
    if (batch === null || batch.points.length === maxCoarsenedPoints) {
      const points: Point[] = [];
      const answer = Promise.resolve().then(() => {
        if (batch?.points === points) batch = null;
        return location.coarsenPoints(points, "city");
      });
      batch = { points, answer };
    }
    const { points, answer } = batch;
    const index = points.push(point) - 1;
    const coarse = await answer;
    return coarse.ok ? coarse.value[index] : coarsenToCity(point);
  };
  return async ({ lat, lon }, precision) => {
    if (precision === "none") return null;
    if (precision === "exact") return { lat, lon };
    return precision === "approximate" ? coarsenToKilometer({ lat, lon }) : cityOf({ lat, lon });
  };
}
