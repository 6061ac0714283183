import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { implausibilityOf } from "./implausible-point.ts";

describe("implausibilityOf", () => {
  it("P1: finds (0, 0), and what is within a kilometer of it", () => {
    for (const [lat, lon] of [
      [0, 0],
      [-0, 0],
      [0.0001, -0.0002],
      [0.005, 0.005],
    ])
      expect(implausibilityOf({ lat, lon })).toBe("null_island");
    expect(implausibilityOf({ lat: 0.02, lon: 0.02 })).toBeNull();
  });

  it("P1: finds points of whole degrees, and no others", () => {
    fc.assert(
      fc.property(fc.integer({ min: -90, max: 90 }), fc.integer({ min: -180, max: 180 }), (lat, lon) => {
        expect(implausibilityOf({ lat, lon })).not.toBeNull();
        expect(implausibilityOf({ lat: lat * 0.99 + 0.005, lon })).toBe(
          Number.isInteger(lat * 0.99 + 0.005) ? "whole_degrees" : null,
        );
      }),
    );
    expect(implausibilityOf({ lat: 48, lon: 2 })).toBe("whole_degrees");
    expect(implausibilityOf({ lat: 48, lon: 2.35 })).toBeNull();
    // On the equator and on the prime meridian.
    expect(implausibilityOf({ lat: 0, lon: 36.8219 })).toBeNull();
    expect(implausibilityOf({ lat: 51.4779, lon: 0 })).toBeNull();
  });
});
