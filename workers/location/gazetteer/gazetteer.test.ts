import { describe, expect, it } from "vitest";
import { Random } from "../../../model/train/random.ts";
import type { City } from "../../../shared/contracts/location.ts";
import { countryOf } from "../../../shared/geo/country.ts";
import { distanceKm } from "../../../shared/geo/distance.ts";
import { Gazetteer, indexCities, nearestCity } from "./gazetteer.ts";

const city = (name: string, lat: number, lon: number, population: number, country = "FR"): City => ({
  id: population,
  name,
  country,
  lat,
  lon,
  timezone: "UTC",
  population,
});

describe("nearestCity", () => {
  const metropolis = city("Metropolis", 48.8566, 2.3522, 2_100_000);
  const suburb = city("Suburb", 48.9904, 1.7173, 40_000);
  const village = city("Village", 48.87, 2.36, 6000);

  it("returns the metropolis for a point inside it, and the suburb for a point in the suburb", () => {
    expect(nearestCity({ lat: 48.869, lon: 2.358 }, "FR", indexCities([metropolis, village]))?.name).toBe(
      "Metropolis",
    );
    expect(nearestCity({ lat: 48.99, lon: 1.72 }, "FR", indexCities([metropolis, suburb]))?.name).toBe(
      "Suburb",
    );
  });

  it("returns null at sea", () => {
    expect(nearestCity({ lat: 46, lon: -20 }, "FR", indexCities([metropolis]))).toBeNull();
    expect(nearestCity({ lat: 0, lon: 0 }, "FR", indexCities([]))).toBeNull();
  });

  it("P3: returns a city of the country, however near a city across the border is", () => {
    const cities = indexCities([
      city("Kinshasa", -4.32758, 15.31357, 7_785_965, "CD"),
      city("Brazzaville", -4.26613, 15.28318, 1_284_609, "CG"),
      city("Tijuana", 32.5027, -117.00371, 1_300_983, "MX"),
    ]);
    expect(nearestCity({ lat: -4.2634, lon: 15.2429 }, "CG", cities)?.name).toBe("Brazzaville");
    expect(nearestCity({ lat: 32.5556, lon: -117.047 }, "US", cities)).toBeNull();
  });

  it("P3: returns a city of disputed territory for the country whose borders contain it", () => {
    const laayoune = indexCities([city("Laayoune", 27.1418, -13.18797, 196_331, "EH")]);
    expect(nearestCity({ lat: 27.15, lon: -13.19 }, "MA", laayoune)?.name).toBe("Laayoune");
    expect(nearestCity({ lat: 27.15, lon: -13.19 }, "MR", laayoune)).toBeNull();
  });
});

/** Returns a gazetteer of the given cities. */
const gazetteerOf = (cities: City[]): Gazetteer =>
  new Gazetteer({ inAreas: async () => cities, findByName: async () => null, findLargest: async () => null });

describe("Gazetteer", () => {
  const border = [
    city("Detroit", 42.33143, -83.04575, 677_116, "US"),
    city("Windsor", 42.30008, -83.01654, 278_013, "CA"),
    city("Tornio", 65.84811, 24.14662, 21_236, "FI"),
  ];

  it("P3: resolves a point at a border to the country and a city of it", async () => {
    const gazetteer = gazetteerOf(border);
    expect(await gazetteer.resolve({ lat: 42.3149, lon: -83.0364 })).toMatchObject({
      country: "CA",
      city: "Windsor",
    });
    expect(await gazetteer.resolve({ lat: 42.3314, lon: -83.0458 })).toMatchObject({
      country: "US",
      city: "Detroit",
    });
    expect(await gazetteer.resolve({ lat: 0, lon: 0 })).toMatchObject({
      country: null,
      city: null,
      distanceKm: null,
    });
  });

  it("P3: coarsens to a city without crossing a border", async () => {
    const gazetteer = gazetteerOf(border);
    expect(await gazetteer.coarsen({ lat: 42.3149, lon: -83.0364 })).toEqual({
      lat: 42.30008,
      lon: -83.01654,
    });
    const random = new Random(3);
    const nowhere = gazetteerOf([]);
    // Around Basel, Geneva, Kinshasa, Haparanda and Gibraltar, where cells of 45 km contain two or three countries.
    for (const [lat, lon] of [
      [47.56, 7.59],
      [46.2, 6.14],
      [-4.3, 15.3],
      [65.84, 24.14],
      [36.14, -5.35],
    ])
      for (let run = 0; run < 40; run++) {
        const point = { lat: lat + random.next() * 0.4 - 0.2, lon: lon + random.next() * 0.4 - 0.2 };
        const coarse = await nowhere.coarsen(point);
        expect(countryOf(coarse), JSON.stringify(point)).toBe(countryOf(point));
        expect(distanceKm(point.lat, point.lon, coarse.lat, coarse.lon)).toBeLessThan(60);
        expect(await nowhere.coarsen(coarse)).toEqual(coarse);
      }
  });

  it("P3: resolves the timezone of the country at a border", async () => {
    const cities = [
      { ...city("Brest", 52.09755, 23.68775, 300_715, "BY"), timezone: "Europe/Minsk" },
      { ...city("Terespol", 52.0757, 23.6157, 6000, "PL"), timezone: "Europe/Warsaw" },
    ];
    const gazetteer = gazetteerOf(cities);
    const random = new Random(5);
    for (let run = 0; run < 300; run++) {
      const point = { lat: 52.05 + 0.1 * random.next(), lon: 23.55 + 0.15 * random.next() };
      const { country, timezone } = await gazetteer.resolve(point);
      expect(timezone, JSON.stringify(point)).toBe(country === "BY" ? "Europe/Minsk" : "Europe/Warsaw");
    }
    expect((await gazetteerOf([]).resolve({ lat: 1.87, lon: -157.43 })).timezone).toBe("Pacific/Kiritimati");
  });
});

describe("Gazetteer.resolveEdge", () => {
  it("L1: takes the edge's point, else its city, else the largest city of its country", async () => {
    const lyon = { lat: 45.75, lon: 4.85 };
    const paris = { lat: 48.85, lon: 2.35 };
    const gazetteer = new Gazetteer({
      inAreas: async () => [],
      findByName: async (country, name) => (country === "FR" && name === "Lyon" ? lyon : null),
      findLargest: async (country) => (country === "FR" ? paris : null),
    });
    const edge = { city: null, country: null, point: null, timezone: null };
    const nice = { lat: 43.7, lon: 7.27 };
    expect(await gazetteer.resolveEdge({ ...edge, country: "FR", city: "Lyon", point: nice })).toEqual(nice);
    expect(await gazetteer.resolveEdge({ ...edge, country: "FR", city: "Lyon" })).toEqual(lyon);
    expect(await gazetteer.resolveEdge({ ...edge, country: "FR", city: "Unknown" })).toEqual(paris);
    expect(await gazetteer.resolveEdge({ ...edge, country: "FR" })).toEqual(paris);
    expect(await gazetteer.resolveEdge(edge)).toBeNull();
  });
});
