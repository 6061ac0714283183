/**
 * The columns of a block of products, in the order in which they lie in the binary. A block is what a
 * tile stores, what crosses RPC and what features read. Widest elements first, so that all are aligned.
 */
export const columnLayout = [
  /** {@link hash53} of the product id. */
  { name: "idHash", type: "f64", width: 1 },
  /** WGS84 degrees; NaN for a placeless product. */
  { name: "lat", type: "f64", width: 1 },
  { name: "lon", type: "f64", width: 1 },
  /** Version of the product write that this row shows. */
  { name: "version", type: "f64", width: 1 },
  /** Seconds since the epoch: product created, and its newest interaction (0: none). */
  { name: "createdAt", type: "f64", width: 1 },
  { name: "lastTime", type: "f64", width: 1 },
  /** Units of the currency, before discount; NaN where absent. */
  { name: "price", type: "f32", width: 1 },
  /** Share of the price, 0..1. */
  { name: "discount", type: "f32", width: 1 },
  /** 0..10; NaN where absent. */
  { name: "rating", type: "f32", width: 1 },
  /** Lifetime view, click, cart, purchase, dismiss, people. */
  { name: "counts", type: "f32", width: 6 },
  /** Decayed engagement at each of {@link hotHalfLives}, as of the block's `time`. */
  { name: "hot", type: "f32", width: 3 },
  /** {@link hash32} of the category. */
  { name: "categoryHash", type: "u32", width: 1 },
  /** Indices into the block's `strings`. */
  { name: "category", type: "u32", width: 1 },
  { name: "currency", type: "u32", width: 1 },
  /** The product's address: under which of the cells it lies. */
  { name: "cell", type: "u32", width: 1 },
  /** 1 where it can be had. */
  { name: "available", type: "u8", width: 1 },
  /** Share of the product's interactions by local hour and weekday (Monday first), 255 = all. */
  { name: "hours", type: "u8", width: 24 },
  { name: "weekdays", type: "u8", width: 7 },
] as const;

export type ColumnName = (typeof columnLayout)[number]["name"];
export type ElementType = "f64" | "f32" | "u32" | "u8";
export type Elements = Float64Array | Float32Array | Uint32Array | Uint8Array;

/** Zeroed elements of a type. */
export const allocate = (type: ElementType, length: number): Elements =>
  type === "f64"
    ? new Float64Array(length)
    : type === "f32"
      ? new Float32Array(length)
      : type === "u32"
        ? new Uint32Array(length)
        : new Uint8Array(length);

export const elementBytes: Record<ElementType, number> = { f64: 8, f32: 4, u32: 4, u8: 1 };

/** Half-lives of decayed engagement, in days. */
export const hotHalfLives = [1, 7, 60] as const;

/** What one interaction adds to engagement, by the order of `eventTypes`. */
export const engagementWeights = { view: 1, click: 2, cart: 4, purchase: 8, dismiss: -2 } as const;

/** Most neighbours kept for a product. */
export const maxNextProducts = 8;
