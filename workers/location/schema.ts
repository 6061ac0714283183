import { index, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Cities of the gazetteer (GeoNames), shared by all applications. */
export const cities = sqliteTable(
  "cities",
  {
    /** GeoNames id. */
    id: integer("id").primaryKey(),
    name: text("name").notNull(),
    /** ISO 3166-1 alpha-2. */
    country: text("country").notNull(),
    lat: real("lat").notNull(),
    lon: real("lon").notNull(),
    /** IANA time zone name. */
    timezone: text("timezone").notNull(),
    population: integer("population").notNull(),
    /** H3 cell of resolution 2. The cities near a point are those in its area and the adjacent areas. */
    area: text("area").notNull(),
  },
  (table) => [index("cities_by_area").on(table.area), index("cities_by_name").on(table.country, table.name)],
);
