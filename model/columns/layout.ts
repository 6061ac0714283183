import { countFields } from "../../shared/contracts/totals.ts";
import { offsetsByName } from "./offsets.ts";

/** Index into a block's `strings` that stands for no string. */
export const noString = 0xffffffff;

/** Half-lives of decayed engagement, in days. */
export const hotHalfLives = [1, 7, 60] as const;

/** Hours of a day and days of a week: widths of the columns that count by local time. */
const dayHours = 24;
const weekDays = 7;

/**
 * The columns of a block of products, in their order in the buffer. Tiles store blocks, workers send blocks to each
 * other, and features read them. Columns of wide elements come first, so that all columns are aligned.
 */
export const columnLayout = [
  /** {@link hash53} of the product id. */
  { name: "idHash", type: "f64", width: 1 },
  /** WGS84 degrees; NaN for a product without a location. */
  { name: "lat", type: "f64", width: 1 },
  { name: "lon", type: "f64", width: 1 },
  /** Version of the product write that the row shows. */
  { name: "version", type: "f64", width: 1 },
  /** Seconds since the epoch: creation of the product, and its newest interaction (0 for none). */
  { name: "createdAt", type: "f64", width: 1 },
  { name: "lastTime", type: "f64", width: 1 },
  /** Whole minor units of the currency (cents for EUR), before discount; NaN where absent. */
  { name: "priceMinor", type: "f64", width: 1 },
  /** 0..10; NaN where absent. */
  { name: "rating", type: "f32", width: 1 },
  /** Lifetime counts, in the order of `countFields`. */
  { name: "counts", type: "f32", width: countFields.length },
  /** Decayed engagement at each of {@link hotHalfLives}, as of the block's `time`. */
  { name: "hot", type: "f32", width: hotHalfLives.length },
  /** {@link hash32} of the category. */
  { name: "categoryHash", type: "u32", width: 1 },
  /** Indices into the block's `strings`. */
  { name: "category", type: "u32", width: 1 },
  { name: "currency", type: "u32", width: 1 },
  /** The group of the product's variants. Index into the block's `strings`. */
  { name: "groupId", type: "u32", width: 1 },
  /** The product's address: its finest cell. Index into the block's `strings`; none in a block of candidates. */
  { name: "cell", type: "u32", width: 1 },
  /** Whole millionths of the price. */
  { name: "discountMillionths", type: "u32", width: 1 },
  /** 1 for an available product, otherwise 0. */
  { name: "available", type: "u8", width: 1 },
  /** Share of the product's interactions by local hour and weekday (Monday first), 255 for all of them. */
  { name: "hours", type: "u8", width: dayHours },
  { name: "weekdays", type: "u8", width: weekDays },
] as const;

type Column = (typeof columnLayout)[number];
export type ColumnName = Column["name"];
export type ElementType = "f64" | "f32" | "u32" | "u8";
export type Elements = Float64Array | Float32Array | Uint32Array | Uint8Array;

/** Elements of each column in one row: row `i` of a column starts at `i * columnWidth[name]`. */
export const columnWidth = Object.fromEntries(columnLayout.map(({ name, width }) => [name, width])) as {
  readonly [C in Column as C["name"]]: C["width"];
};

/** Offset of each count within a row of the column `counts`. */
export const countOffset = offsetsByName(countFields);

/** Offset of each half-life within a row of the column `hot`: 1, 7 and 60 days. */
export const hotOffset = offsetsByName(["day", "week", "season"]);

/** Value of a share of one in the columns `hours` and `weekdays`. */
export const wholeShare = 255;

/** Allocates zeroed elements of a type. */
export const allocate = (type: ElementType, length: number): Elements =>
  type === "f64"
    ? new Float64Array(length)
    : type === "f32"
      ? new Float32Array(length)
      : type === "u32"
        ? new Uint32Array(length)
        : new Uint8Array(length);

/** Bytes of one element of each type. */
export const elementBytes: Record<ElementType, number> = { f64: 8, f32: 4, u32: 4, u8: 1 };

/** Engagement that one interaction of each type adds. A dismissal adds none, and takes none from others. */
export const engagementWeights = { view: 1, click: 2, cart: 4, purchase: 8, dismiss: 0 } as const;

/** Next products that a block keeps for each product. */
export const maxNextProducts = 8;
