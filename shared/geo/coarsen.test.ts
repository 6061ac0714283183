import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellCenter, isCellName, leafCellAt, parentCell, worldCell } from "./cells.ts";
import { coarsenToCity, coarsenToKilometer, locationHint } from "./coarsen.ts";
import { distanceKm } from "./distance.ts";

const point = fc.record({
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lon: fc.double({ min: -180, max: 180, noNaN: true }),
});

describe("cells", () => {
  it("lead from every place, and from none, up to the world", () => {
    fc.assert(
      fc.property(fc.option(point), fc.nat(), (place, hash) => {
        const path: string[] = [];
        for (let cell: string | null = leafCellAt(place, hash); cell; cell = parentCell(cell))
          path.push(cell);
        expect(path.every(isCellName)).toBe(true);
        expect(path.at(-1)).toBe(worldCell);
        expect(path.length).toBe(place ? 4 : 2);
      }),
    );
    expect(isCellName("world-9")).toBe(false);
    expect(isCellName("x")).toBe(false);
    expect(cellCenter(worldCell)).toBeNull();
  });
});

describe("coarsenToKilometre", () => {
  it("moves a point by at most 1 km and maps its own answers to themselves", () => {
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

describe("coarsenToRegion", () => {
  it("makes many points one, at most 35 km away, and maps its own answers to themselves", () => {
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

describe("locationHint", () => {
  it("names the region of well-known cities", () => {
    expect(locationHint({ lat: 40.7, lon: -74 })).toBe("enam");
    expect(locationHint({ lat: 48.9, lon: 2.4 })).toBe("weur");
    expect(locationHint({ lat: 35.7, lon: 139.7 })).toBe("apac");
    expect(locationHint({ lat: -36.8, lon: 174.8 })).toBe("oc");
    expect(locationHint({ lat: 19.4, lon: -99.1 })).toBe("wnam");
  });
});
