import { and, desc, eq, getTableColumns, inArray, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { City } from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import { cities } from "./schema.ts";

/** Reads the cities in the location worker's database. */
export class CityStore {
  readonly #database: D1Database;

  constructor(database: D1Database) {
    this.#database = database;
  }

  /** Queries of the database. They are built when they are used, since most requests find their cities in memory. */
  get #db(): ReturnType<typeof drizzle> {
    return drizzle(this.#database);
  }

  /** Returns the cities in the given areas. */
  inAreas(areas: string[]): Promise<City[]> {
    const { area: _area, ...city } = getTableColumns(cities);
    return this.#db
      .select(city)
      .from(cities)
      .where(inArray(cities.area, sql`(SELECT value FROM json_each(${JSON.stringify(areas)}))`));
  }

  /** Returns the location of the largest city with this name in a country; null if there is none. */
  async findByName(country: string, name: string): Promise<Point | null> {
    const rows = await this.#db
      .select({ lat: cities.lat, lon: cities.lon })
      .from(cities)
      .where(and(eq(cities.country, country), eq(cities.name, name)))
      .orderBy(desc(cities.population))
      .limit(1);
    return rows[0] ?? null;
  }

  /** Returns the location of the largest city of a country; null if the gazetteer has none. */
  async findLargest(country: string): Promise<Point | null> {
    const rows = await this.#db
      .select({ lat: cities.lat, lon: cities.lon })
      .from(cities)
      .where(eq(cities.country, country))
      .orderBy(desc(cities.population))
      .limit(1);
    return rows[0] ?? null;
  }

  /** Returns whether the gazetteer holds cities. Throws if the migrations are not applied. */
  async hasCities(): Promise<boolean> {
    return (await this.#db.select({ id: cities.id }).from(cities).limit(1)).length > 0;
  }
}
