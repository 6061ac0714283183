import { DatasetError } from "./dataset-error.ts";

/** What a file holds. */
export type FileKind = "events" | "products";

/** The types of RecBole's columns. */
const columnTypes = ["token", "token_seq", "float", "float_seq"] as const;
export type ColumnType = (typeof columnTypes)[number];

/** Names under which other tools write a field, best first. {@link normalizeName} says how names are compared. */
type Aliases = Record<string, readonly string[]>;

const productIdNames = [
  "product_id",
  "business_id",
  "venue_id",
  "place_id",
  "poi_id",
  "location_id",
  "track_id",
  "tracks_id",
  "song_id",
  "album_id",
  "albums_id",
  "artist_id",
  "artists_id",
  "movie_id",
  "book_id",
  "article_id",
  "stock_code",
  "asin",
  "isbn",
  "sku",
  "variant_sku",
  "item",
  "product",
];
const latitudeNames = ["latitude", "location_lat", "location_latitude"];
const longitudeNames = ["longitude", "lng", "long", "location_lon", "location_lng", "location_longitude"];

/**
 * The fields of an event, with the names that RecSysDatasets (the converters of RecBole's own datasets) and shops give
 * them. Source: conversion_tools/src of github.com/RUCAIBox/RecSysDatasets.
 */
const eventFields = {
  user_id: [
    "customer_id",
    "visitor_id",
    "anonymous_user_id",
    "reviewer_id",
    "user",
    "customer",
    "session_id",
  ],
  item_id: productIdNames,
  event_type: ["event", "event_name", "interaction_type", "behavior", "behaviour", "action", "type"],
  timestamp: [
    "time",
    "datetime",
    "date",
    "event_time",
    "created_at",
    "ordered_at",
    "order_date",
    "transaction_date",
    "invoice_date",
    "t_dat",
    "ts",
    "event_timestamp",
    "timestamp_ms",
    "order_time",
    "purchase_date",
    "purchased_at",
    "unix_timestamp",
    "unix_time",
  ],
  rating: ["stars", "score", "label"],
  lat: latitudeNames,
  lon: longitudeNames,
  /** What the whole event was worth, all units of the product together. */
  value: ["event_value"],
  currency: ["currency_code"],
  quantity: ["qty"],
  /** Where the product is; only by `--map`. */
  item_lat: [],
  item_lon: [],
  /** What the product is, for products without a row of their own. */
  item_title: ["item_name", "product_name", "product_title", "venue_name", "movie_title", "book_title"],
  item_category: [
    "venue_category_name",
    "product_category",
    "category",
    "category_code",
    "category_id",
    "cate_id",
    "venue_category_id",
  ],
} satisfies Aliases;

/** The fields of a product. */
const productFields = {
  item_id: [...productIdNames, "id"],
  title: [
    "item_name",
    "product_name",
    "product_title",
    "movie_title",
    "movie_name",
    "book_title",
    "venue_name",
    "name",
    "app_name",
  ],
  category: [
    "categories",
    "item_category",
    "product_category",
    "venue_category_name",
    "product_type",
    "genre",
    "genres",
    "class",
    "category_id",
    "cate_id",
    "type",
  ],
  price: ["unit_price", "regular_price", "variant_price"],
  currency: ["currency_code", "price_currency"],
  discount: [],
  rating: ["item_stars", "stars", "avg_rating", "average_rating"],
  lat: latitudeNames,
  lon: longitudeNames,
  available: ["availability", "in_stock", "is_available", "stock_status"],
  group_id: ["item_group_id", "parent_asin"],
  description: ["product_description"],
  brand: ["vendor", "manufacturer"],
  url: ["link", "product_url"],
  images: ["image_link", "image_url", "image_urls"],
  sale_from: [],
  sale_until: [],
  available_from: [],
  available_until: [],
  opening_hours: [],
  service_radius_km: [],
} satisfies Aliases;

export type EventField = keyof typeof eventFields;
export type ProductField = keyof typeof productFields;
export type Field = EventField | ProductField;

const fieldsOf: Record<FileKind, Aliases> = { events: eventFields, products: productFields };
const requiredFields: Record<FileKind, readonly Field[]> = {
  events: ["user_id", "item_id"],
  products: ["item_id"],
};

/** Fields by the names of the columns that a user says hold them. */
export type ColumnMap = ReadonlyMap<string, string>;

/** A column of a file. */
export interface Column {
  /** Position in a row, from 0. */
  index: number;
  /** Name as the header has it, without its type. */
  name: string;
  /** Declared type; null where the header declares none. */
  type: ColumnType | null;
  /** The field that the column holds; null for a column that is no field. */
  field: Field | null;
}

/** The columns of a file. */
export interface Header {
  columns: Column[];
  byField: ReadonlyMap<Field, Column>;
  /** Whether the header declares types, as atomic files of RecBole do. */
  typed: boolean;
  /** Columns without a name, by number from 1: an index that a tool wrote in front, or a separator at the end. */
  unnamed: number[];
  /** Columns that have the name of a column before them, by number from 1. The first one counts. */
  repeated: number[];
  /** Columns that are no field: attributes of products. */
  others: Column[];
}

/** Returns a name as names are compared: `product_id`, `Product ID`, `productId` and `PRODUCTID` are `productid`. */
export const normalizeName = (name: string): string => name.toLowerCase().replaceAll(/[\s_.?-]+/g, "");

/** A table's own index of rows, as pandas writes it. */
const isIndexName = (name: string): boolean => name === "" || /^Unnamed: \d+$/.test(name);

/** Throws a {@link DatasetError} if a field that a user names does not exist. */
export function checkMap(map: ColumnMap): void {
  const known = new Set(Object.values(fieldsOf).flatMap(Object.keys));
  for (const [theirs, ours] of map)
    if (!known.has(ours)) {
      const hint = known.has(theirs) ? ` Is --map ${ours}=${theirs} meant?` : "";
      throw new DatasetError(
        `--map ${theirs}=${ours}: there is no field ${ours}.${hint} The fields are ${[...known].join(", ")}.`,
      );
    }
}

/** Returns whether the cells of a header name the columns of events, of products, or of neither. */
export function kindOfHeader(cells: readonly string[], map: ColumnMap): FileKind | null {
  const has = (kind: FileKind, field: Field): boolean => {
    const names = new Set([field, ...fieldsOf[kind][field]].map(normalizeName));
    return cells.some((cell) => {
      const { name } = splitType(cell);
      return map.get(name) === field || names.has(normalizeName(name));
    });
  };
  if (has("events", "user_id") && has("events", "item_id")) return "events";
  return has("products", "item_id") ? "products" : null;
}

function splitType(cell: string): { name: string; type: ColumnType | null } {
  const colon = cell.lastIndexOf(":");
  const type = columnTypes.find((each) => each === cell.slice(colon + 1).trim());
  return colon < 0 || !type ? { name: cell.trim(), type: null } : { name: cell.slice(0, colon).trim(), type };
}

/**
 * Returns the columns of a file from the cells of its header. A column is a field if `map` says so, if it has the
 * field's name, or else if it has one of the names that other tools give the field. Throws a {@link DatasetError} if a
 * required field has no column.
 */
export function readHeader(cells: readonly string[], kind: FileKind, map: ColumnMap): Header {
  const columns = cells.map((cell, index): Column => ({ index, ...splitType(cell), field: null }));
  const typed = columns.some(({ type }) => type !== null);
  for (const { name, type } of typed ? columns : []) {
    if (type !== null) continue;
    const colon = name.lastIndexOf(":");
    if (colon > 0 && /^\w+$/.test(name.slice(colon + 1)))
      throw new DatasetError(
        `line 1: column ${name.slice(0, colon)} has the type "${name.slice(colon + 1)}"; the types are ${columnTypes.join(", ")}`,
      );
  }
  const byField = new Map<Field, Column>();
  const assign = (field: string, column: Column | undefined): void => {
    if (!column || column.field !== null || byField.has(field as Field)) return;
    column.field = field as Field;
    byField.set(column.field, column);
  };
  const fields = fieldsOf[kind];
  for (const [theirs, ours] of map)
    if (ours in fields)
      assign(
        ours,
        columns.find(({ name }) => name === theirs),
      );
  const findNamed = (wanted: string): Column | undefined =>
    columns.find(
      ({ name, field }) => field === null && !map.has(name) && normalizeName(name) === normalizeName(wanted),
    );
  for (const field of Object.keys(fields)) assign(field, findNamed(field));
  for (const [field, names] of Object.entries(fields))
    for (const name of names) assign(field, findNamed(name));
  for (const field of requiredFields[kind])
    if (!byField.has(field))
      throw new DatasetError(
        `line 1: no column is ${field}. The columns are ${columns.map(({ name }) => name || "(no name)").join(", ")}. Name one with --map COLUMN=${field}.`,
      );
  const unnamed = columns.filter(({ name }) => isIndexName(name));
  const repeated = columns.filter(
    (column) =>
      !unnamed.includes(column) &&
      column.field === null &&
      columns.findIndex(({ name }) => name === column.name) < column.index,
  );
  const numbersOf = (some: readonly Column[]): number[] => some.map(({ index }) => index + 1);
  return {
    columns,
    byField,
    typed,
    unnamed: numbersOf(unnamed),
    repeated: numbersOf(repeated),
    others: columns.filter(
      (column) => column.field === null && !unnamed.includes(column) && !repeated.includes(column),
    ),
  };
}

/** Returns whether a column of an event file has a name that datasets of check-ins give the product's own place. */
export const isPlaceName = (name: string): boolean =>
  [...latitudeNames, ...longitudeNames].map(normalizeName).includes(normalizeName(name));

/** Returns whether a column is a label of clicks: 1 for a click, and 0 for a product that was shown only. */
export const isLabel = (column: Column | undefined): boolean =>
  column !== undefined && normalizeName(column.name) === "label";

/** Returns the column of a field; undefined where a file has none. */
export const columnOf = (header: Header, field: Field): Column | undefined => header.byField.get(field);
