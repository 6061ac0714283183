import tzlookup from "@photostructure/tz-lookup";
import { encodeOpeningHours, openingHoursColumn } from "../../model/columns/opening-hours.ts";
import { attributeColumn } from "../../model/columns/optional-columns.ts";
import type { Attributes } from "../../shared/contracts/attributes.ts";
import {
  type DeclaredAttribute,
  maxDeclaredItems,
  maxDeclaredText,
} from "../../shared/contracts/catalog-schema.ts";
import type { ColumnValue } from "../../shared/contracts/column-value.ts";
import { parseTimestamp } from "../../shared/contracts/timestamp.ts";
import type { StoredDetails } from "./stored-details.ts";

/** Declared attributes by name. */
export type Declared = Readonly<Record<string, DeclaredAttribute>>;

/** A row of a product, as far as optional columns need it. */
interface DetailedRow {
  details: StoredDetails;
  attributes: Attributes;
  lat: number | null;
  lon: number | null;
}

/** Returns the values of a product in the optional columns of tiles: its details, and its filterable attributes. */
export function columnValuesOf(
  { details, attributes, lat, lon }: DetailedRow,
  declared: Declared,
): ColumnValue[] {
  const { brand, moreCategories, openingHours, serviceRadiusKm } = details;
  const values: ColumnValue[] = [];
  if (brand !== undefined) values.push({ name: "brand", type: "string", value: brand });
  if (moreCategories !== undefined)
    values.push({ name: "moreCategories", type: "list", value: moreCategories });
  for (const name of ["saleFrom", "saleUntil", "availableFrom", "availableUntil"] as const) {
    const time = details[name];
    if (time !== undefined) values.push({ name, type: "time", value: time });
  }
  if (openingHours !== undefined) {
    const timezone = lat === null || lon === null ? "UTC" : tzlookup(lat, lon);
    values.push({
      name: openingHoursColumn,
      type: "string",
      value: encodeOpeningHours(openingHours, timezone),
    });
  }
  if (serviceRadiusKm !== undefined)
    values.push({ name: "serviceRadiusKm", type: "number", value: serviceRadiusKm });
  for (const [name, { type, filterable }] of Object.entries(declared)) {
    if (!filterable || !Object.hasOwn(attributes, name)) continue;
    const read = readAttribute(attributeColumn(name), type, attributes[name]);
    if (read !== null && typeof read !== "string") values.push(read);
  }
  return values;
}

const tooLong = `must have at most ${maxDeclaredText} characters, as a declared attribute`;

/**
 * Returns the value of an attribute by its declared type; null if the product has none. A text says why the value does not
 * fit the type.
 */
function readAttribute(
  name: string,
  type: DeclaredAttribute["type"],
  value: Attributes[string],
): ColumnValue | string | null {
  if (value === null || (Array.isArray(value) && value.length === 0)) return null;
  switch (type) {
    case "string":
      if (typeof value !== "string") return "must be a text, as the catalog's schema declares";
      return value.length > maxDeclaredText ? tooLong : { name, type, value };
    case "number":
      return typeof value === "number"
        ? { name, type, value }
        : "must be a number, as the catalog's schema declares";
    case "boolean":
      return typeof value === "boolean"
        ? { name, type, value }
        : "must be true or false, as the catalog's schema declares";
    case "time": {
      const time = typeof value === "string" ? parseTimestamp(value) : "must be ISO 8601";
      return typeof time === "number"
        ? { name, type, value: time / 1000 }
        : "must be a time such as 2026-01-31T12:00:00Z, as the catalog's schema declares";
    }
    case "list":
      if (!Array.isArray(value)) return "must be a list of texts, as the catalog's schema declares";
      if (value.length > maxDeclaredItems)
        return `must have at most ${maxDeclaredItems} texts, as a declared attribute`;
      return value.some((each) => each.length > maxDeclaredText) ? tooLong : { name, type, value };
  }
}

/** Returns the first attribute whose value does not fit its declared type, and why; null if all fit. */
export function misfitOf(
  attributes: Attributes,
  declared: Declared,
): { path: string; message: string } | null {
  for (const [name, { type }] of Object.entries(declared)) {
    if (!Object.hasOwn(attributes, name)) continue;
    const read = readAttribute(name, type, attributes[name]);
    if (typeof read === "string") return { path: `attributes.${name}`, message: read };
  }
  return null;
}
