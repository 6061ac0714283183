import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coarsenToCity, coarsenToKilometer } from "./coarsen.ts";
import { distanceKm } from "./distance.ts";

const point = fc.record({
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lon: fc.double({ min: -180, max: 180, noNaN: true }),
});

describe("coarsenToKilometer", () => {
  it("moves a point by at most 1 km, and does not move the result again", () => {
    fc.assert(
      fc.property(point, (place) => {
        const coarse = coarsenToKilometer(place);
        expect(distanceKm(place.lat, place.lon, coarse.lat, coarse.lon)).toBeLessThan(1);
        const again = coarsenToKilometer(coarse);
        expect(distanceKm(coarse.lat, coarse.lon, again.lat, again.lon)).toBeLessThan(1e-6);
      }),
    );
  });
});

describe("coarsenToCity", () => {
  it("moves a point by at most 35 km, and does not move the result again", () => {
    fc.assert(
      fc.property(point, (place) => {
        const coarse = coarsenToCity(place);
        expect(distanceKm(place.lat, place.lon, coarse.lat, coarse.lon)).toBeLessThan(35);
        const again = coarsenToCity(coarse);
        expect(distanceKm(coarse.lat, coarse.lon, again.lat, again.lon)).toBeLessThan(1e-6);
      }),
    );
  });
});
