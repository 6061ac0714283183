import { describe, expect, it } from "vitest";
import { locationHint } from "./location-hint.ts";

describe("locationHint", () => {
  it("returns the region of well-known cities", () => {
    expect(locationHint({ lat: 40.7, lon: -74 })).toBe("enam");
    expect(locationHint({ lat: 48.9, lon: 2.4 })).toBe("weur");
    expect(locationHint({ lat: 35.7, lon: 139.7 })).toBe("apac");
    expect(locationHint({ lat: -36.8, lon: 174.8 })).toBe("oc");
    expect(locationHint({ lat: 19.4, lon: -99.1 })).toBe("wnam");
  });
});
