import { describe, expect, it } from "vitest";
import type { City } from "../../../shared/contracts/location.ts";
import { indexCities, nearestCity } from "./gazetteer.ts";

const city = (name: string, lat: number, lon: number, population: number): City => ({
  id: population,
  name,
  country: "XX",
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
    expect(nearestCity({ lat: 48.869, lon: 2.358 }, indexCities([metropolis, village]))?.name).toBe(
      "Metropolis",
    );
    expect(nearestCity({ lat: 48.99, lon: 1.72 }, indexCities([metropolis, suburb]))?.name).toBe("Suburb");
  });

  it("returns null at sea", () => {
    expect(nearestCity({ lat: 46, lon: -20 }, indexCities([metropolis]))).toBeNull();
    expect(nearestCity({ lat: 0, lon: 0 }, indexCities([]))).toBeNull();
  });
});
