import fc from "fast-check";
import { expect, it } from "vitest";
import { distanceKm } from "./distance.ts";
import {
  kmOfSquaredChord,
  squaredChordOfKm,
  squaredKmOfSquaredChord,
  unitVectors,
  vectorDistanceKm,
} from "./sphere.ts";

const latitude = fc.double({ min: -90, max: 90, noNaN: true });
const longitude = fc.double({ min: -180, max: 180, noNaN: true });

it("vectorDistanceKm equals the haversine distance, near and far", () => {
  fc.assert(
    fc.property(
      latitude,
      longitude,
      latitude,
      longitude,
      fc.constantFrom(1, 1e-3, 1e-6),
      (a, b, c, d, scale) => {
        const lat = [a, a + (c - a) * scale];
        const lon = [b, b + (d - b) * scale];
        const vectors = unitVectors(lat, lon, 2);
        const exact = distanceKm(lat[0], lon[0], lat[1], lon[1]);
        expect(Math.abs(vectorDistanceKm(vectors, 0, vectors, 1) - exact)).toBeLessThan(1e-6 + exact * 1e-6);
      },
    ),
  );
});

it("squaredKmOfSquaredChord is the square of the distance up to 1,000 km", () => {
  for (const km of [0, 1e-6, 0.3, 8, 60, 1000]) {
    const chord = squaredChordOfKm(km);
    expect(Math.sqrt(squaredKmOfSquaredChord(chord))).toBeCloseTo(kmOfSquaredChord(chord), 3);
  }
  expect(squaredKmOfSquaredChord(squaredChordOfKm(60)) / 3600).toBeCloseTo(1, 12);
});
