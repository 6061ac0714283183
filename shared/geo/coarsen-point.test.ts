import { describe, expect, it } from "vitest";
import type { Point } from "../contracts/primitives.ts";
import { ok, type Result, refuse } from "../contracts/result.ts";
import { coarsenToCity, coarsenToKilometer } from "./coarsen.ts";
import { coarsenInBatches } from "./coarsen-point.ts";

const cityOf = ({ lat, lon }: Point): Point => ({ lat: Math.round(lat), lon: Math.round(lon) });
const points = Array.from({ length: 2_500 }, (_, i) => ({ lat: i / 100, lon: i / 50 }));

/** Returns a coarsening function, and the numbers of points of the calls that it makes. */
function countedCalls(answer: (points: Point[]) => Result<Point[]> = (some) => ok(some.map(cityOf))) {
  const calls: number[] = [];
  const coarsen = coarsenInBatches({
    coarsenPoints: async (some) => {
      calls.push(some.length);
      return answer(some);
    },
  });
  return { calls, coarsen };
}

describe("coarsenInBatches", () => {
  it("S11: asks once for a thousand points at a time, so that no request makes more calls than the platform allows", async () => {
    const { calls, coarsen } = countedCalls();
    expect(await Promise.all(points.map((point) => coarsen(point, "city")))).toEqual(points.map(cityOf));
    expect(calls).toEqual([1000, 1000, 500]);
    expect(await coarsen(points[7], "city")).toEqual(cityOf(points[7]));
    expect(calls).toEqual([1000, 1000, 500, 1]);
  });

  it("asks for no other level", async () => {
    const { calls, coarsen } = countedCalls();
    expect(await coarsen(points[7], "none")).toBeNull();
    expect(await coarsen(points[7], "exact")).toEqual(points[7]);
    expect(await coarsen(points[7], "approximate")).toEqual(coarsenToKilometer(points[7]));
    expect(calls).toEqual([]);
  });

  it("rounds a point that the location service refuses, and fails if the service does", async () => {
    const refusing = countedCalls(() => refuse("unavailable", "no database"));
    expect(await refusing.coarsen(points[7], "city")).toEqual(coarsenToCity(points[7]));
    const failing = countedCalls(() => {
      throw new Error("no connection");
    });
    const attempts = points.slice(0, 3).map((point) => failing.coarsen(point, "city"));
    expect((await Promise.allSettled(attempts)).map(({ status }) => status)).toEqual(
      Array(3).fill("rejected"),
    );
  });
});
