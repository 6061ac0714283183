import { describe, expect, it } from "vitest";
import { checkLocation } from "./check-location.ts";

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
