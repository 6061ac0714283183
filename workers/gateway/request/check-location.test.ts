import { describe, expect, it } from "vitest";
import { checkListLocation, checkLocation } from "./check-location.ts";

describe("checkLocation", () => {
  it("P1: stores no home and no product at (0, 0), and says so", () => {
    expect(checkLocation({ lat: 0, lon: 0 }, "home")).toEqual({
      location: null,
      warnings: [{ path: "home", code: "location_not_believed", message: expect.stringContaining("(0, 0)") }],
    });
  });

  it("P1: stores whole degrees with a warning, and other locations without one", () => {
    const wholeDegrees = { lat: 48, lon: 2 };
    const { location, warnings } = checkLocation(wholeDegrees, "location");
    expect(location).toEqual(wholeDegrees);
    expect(warnings).toMatchObject([{ path: "location", code: "location_imprecise" }]);
    for (const plausible of [{ lat: 48.8566, lon: 2.3522 }, null, undefined])
      expect(checkLocation(plausible, "home")).toEqual({ location: plausible, warnings: [] });
  });
});

describe("checkListLocation", () => {
  it("P1: takes (0, 0) for no location, unless the list needs one, and says so", () => {
    const zero = { lat: -0, lon: 0.0001 };
    const warnings = [{ path: "lat", code: "location_not_believed" }];
    expect(checkListLocation(zero)).toMatchObject({ location: null, warnings });
    expect(checkListLocation(zero, true)).toMatchObject({ location: zero, warnings });
    const wholeDegrees = { lat: 48, lon: 2 };
    expect(checkListLocation(wholeDegrees)).toMatchObject({
      location: wholeDegrees,
      warnings: [{ code: "location_imprecise" }],
    });
    expect(checkListLocation(null)).toEqual({ location: null, warnings: [] });
  });
});
