import { describe, expect, it } from "vitest";
import { edgeLocationOf } from "./edge-location.ts";

describe("edgeLocationOf", () => {
  it("reads the location of `request.cf`", () => {
    expect(
      edgeLocationOf({
        city: "Oslo",
        country: "NO",
        latitude: "59.91",
        longitude: "10.75",
        timezone: "Europe/Oslo",
      }),
    ).toEqual({ city: "Oslo", country: "NO", point: { lat: 59.91, lon: 10.75 }, timezone: "Europe/Oslo" });
  });

  it("returns null for missing and malformed fields", () => {
    const nowhere = { city: null, country: null, point: null, timezone: null };
    for (const cf of [undefined, null, "Oslo", {}, { latitude: "59.91" }, { city: 3, country: "" }])
      expect(edgeLocationOf(cf)).toEqual(nowhere);
    expect(edgeLocationOf({ latitude: "591", longitude: "10" }).point).toBeNull();
    expect(edgeLocationOf({ latitude: "north", longitude: "10" }).point).toBeNull();
  });
});
