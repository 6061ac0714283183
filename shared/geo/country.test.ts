import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countryOf } from "./country.ts";

describe("countryOf", () => {
  it("P3: returns the country whose borders contain a point", () => {
    for (const [lat, lon, country] of [
      [-4.2634, 15.2429, "CG"],
      [42.3149, -83.0364, "CA"],
      [32.5556, -117.047, "US"],
      [41.9029, 12.4534, "VA"],
      [1.87, -157.43, "KI"],
      [78.22, 15.65, "SJ"],
      // Enclaves and small countries.
      [43.9424, 12.4578, "SM"],
      [43.7384, 7.4246, "MC"],
      [47.141, 9.5215, "LI"],
      [-29.3151, 27.4869, "LS"],
      [47.6956, 8.6937, "DE"],
      // Cities that share a border.
      [47.5596, 7.5886, "CH"],
      [31.7619, -106.485, "US"],
      [31.6904, -106.4245, "MX"],
      [22.5431, 114.0579, "CN"],
      [25.9692, -24.6, null],
    ] as const)
      expect(countryOf({ lat, lon }), `${lat}, ${lon}`).toBe(country);
  });

  it("P3: gives territories their own code, and parts of a country the code of the country", () => {
    for (const [name, lat, lon, country] of [
      ["Hong Kong", 22.28, 114.16, "HK"],
      ["San Juan", 18.45, -66.07, "PR"],
      ["Nuuk", 64.175, -51.739, "GL"],
      ["Pristina", 42.66, 21.16, "XK"],
      ["Las Palmas", 28.1, -15.4, "ES"],
      ["Ceuta", 35.889, -5.32, "ES"],
      ["Sark", 49.43, -2.36, "GG"],
      ["Ascension", -7.95, -14.36, "SH"],
      ["Simferopol", 44.957, 34.111, "UA"],
      ["Kyrenia", 35.336, 33.317, "CY"],
      ["McMurdo", -77.85, 166.67, "AQ"],
    ] as const)
      expect(countryOf({ lat, lon }), name).toBe(country);
  });

  it("P3: returns the same country on both sides of the antimeridian and on it", () => {
    for (const lon of [179.99, 180, -180, -179.99]) expect(countryOf({ lat: 66.5, lon })).toBe("RU");
    expect(countryOf({ lat: 0, lon: 180 })).toBeNull();
  });

  it("returns two capital letters or null for every point", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -90, max: 90, noNaN: true }),
        fc.double({ min: -180, max: 180, noNaN: true }),
        (lat, lon) => {
          expect(countryOf({ lat, lon }) ?? "ZZ").toMatch(/^[A-Z]{2}$/);
        },
      ),
    );
  });
});
