import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The catalogue: the record of truth of products. A deleted product stays as a row, so that its version goes on growing. */
export const products = sqliteTable(
  "products",
  {
    application: text("application").notNull(),
    productId: text("product_id").notNull(),
    /** Grows by one with every write; outlives deletion. */
    version: integer("version").notNull(),
    deleted: integer("deleted").notNull(),
    title: text("title").notNull(),
    category: text("category").notNull(),
    /** In the currency's units, before discount. */
    price: real("price"),
    currency: text("currency"),
    /** Share of the price, 0..1. */
    discount: real("discount").notNull(),
    rating: real("rating"),
    lat: real("lat"),
    lon: real("lon"),
    available: integer("available").notNull(),
    attributes: text("attributes", { mode: "json" })
      .$type<Record<string, string | number | boolean | null>>()
      .notNull(),
    /** Address in the spatial index: which of its cells may hold it. */
    cell: text("cell").notNull(),
    /** The address before this version, where this version moved the product. */
    previousCell: text("previous_cell"),
    /** Seconds since the epoch. */
    createdAt: real("created_at").notNull(),
    updatedAt: real("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.productId] }),
    index("products_by_category").on(table.application, table.category, table.productId),
  ],
);

/** Images by position; the bytes lie in R2 under their hash. */
export const productImages = sqliteTable(
  "product_images",
  {
    application: text("application").notNull(),
    productId: text("product_id").notNull(),
    /** From 0 to 9. */
    position: integer("position").notNull(),
    sha256: text("sha256").notNull(),
    contentType: text("content_type").notNull(),
    bytes: integer("bytes").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.productId, table.position] })],
);

/** Products whose newest version the spatial index has not confirmed. */
export const outbox = sqliteTable(
  "outbox",
  {
    application: text("application").notNull(),
    productId: text("product_id").notNull(),
    version: integer("version").notNull(),
    /** When the row was last handed to the queue, seconds since the epoch; 0 for never. */
    sentAt: real("sent_at").notNull(),
    /** Keys: the cells that the product left since the spatial index confirmed a version; it may lie in any of them. */
    leftCells: text("left_cells", { mode: "json" }).$type<Record<string, 1>>().notNull().default({}),
  },
  (table) => [primaryKey({ columns: [table.application, table.productId] })],
);
