import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distanceKm, earthRadiusKm } from "./distance.ts";

const lat = fc.double({ min: -90, max: 90, noNaN: true });
const lon = fc.double({ min: -180, max: 180, noNaN: true });

describe("distanceKm", () => {
  it("returns known distances: Paris to London, pole to pole, across the date line", () => {
    expect(distanceKm(48.8566, 2.3522, 51.5074, -0.1278)).toBeCloseTo(343.6, 0);
    expect(distanceKm(90, 0, -90, 0)).toBeCloseTo(Math.PI * earthRadiusKm, 6);
    expect(distanceKm(0, 179.5, 0, -179.5)).toBeCloseTo(111.19, 1);
  });

  it("is symmetric and never negative, and satisfies the triangle inequality", () => {
    fc.assert(
      fc.property(lat, lon, lat, lon, lat, lon, (a, b, c, d, e, f) => {
        const direct = distanceKm(a, b, c, d);
        expect(direct).toBeGreaterThanOrEqual(0);
        expect(distanceKm(c, d, a, b)).toBeCloseTo(direct, 6);
        // Between antipodes the haversine formula is accurate to a meter.
        expect(direct).toBeLessThanOrEqual(distanceKm(a, b, e, f) + distanceKm(e, f, c, d) + 1e-3);
      }),
    );
  });
});
