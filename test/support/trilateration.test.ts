import { describe, expect, it } from "vitest";
import { distanceKm } from "../../shared/geo/distance.ts";
import { oslo } from "./products.ts";
import { fitPoint } from "./trilateration.ts";

describe("fitPoint", () => {
  it("finds the point of exact distances within a meter", () => {
    const hidden = { lat: 59.93, lon: 10.79 };
    const measured = [
      [0.03, 0],
      [-0.02, 0.05],
      [0.01, -0.06],
      [-0.04, -0.02],
    ].map(([lat, lon]) => {
      const at = { lat: oslo.lat + lat, lon: oslo.lon + lon };
      return { at, km: distanceKm(hidden.lat, hidden.lon, at.lat, at.lon) };
    });
    const found = fitPoint(measured);
    expect(distanceKm(found.lat, found.lon, hidden.lat, hidden.lon)).toBeLessThan(0.02);
  });
});
