import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Attributes } from "../../shared/contracts/attributes.ts";
import type { DeclaredAttribute } from "../../shared/contracts/catalog-schema.ts";
import type { StoredDetails } from "./stored-details.ts";

/**
 * The catalog: the source of truth for products. A deleted product keeps its row, so that its version keeps growing.
 */
export const products = sqliteTable(
  "products",
  {
    application: text("application").notNull(),
    productId: text("product_id").notNull(),
    /** Grows by one with each write, also across deletions. */
    version: integer("version").notNull(),
    deleted: integer("deleted").notNull(),
    title: text("title").notNull(),
    category: text("category").notNull(),
    /** In whole minor units of the currency (cents for EUR), before discount. */
    priceMinor: integer("price_minor"),
    currency: text("currency"),
    /** Share of the price, 0..1. */
    discount: real("discount").notNull(),
    rating: real("rating"),
    lat: real("lat"),
    lon: real("lon"),
    available: integer("available").notNull(),
    /** The group of the product's variants. */
    groupId: text("group_id"),
    attributes: text("attributes", { mode: "json" }).$type<Attributes>().notNull(),
    /** Fields that few products have; absent ones have no key. */
    details: text("details", { mode: "json" }).$type<StoredDetails>().notNull().default({}),
    /** Address in the spatial index, which determines the cells that may hold the product. */
    cell: text("cell").notNull(),
    /** The previous address, if this version moved the product; null otherwise. */
    previousCell: text("previous_cell"),
    /** Seconds since the Unix epoch. */
    createdAt: real("created_at").notNull(),
    updatedAt: real("updated_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.productId] }),
    index("products_by_category").on(table.application, table.category, table.productId),
    index("products_by_address").on(table.application, table.cell, table.productId),
  ],
);

/** Product images by position. R2 holds the bytes under the image's id, which no other position shares. */
export const images = sqliteTable(
  "images",
  {
    application: text("application").notNull(),
    productId: text("product_id").notNull(),
    /** From 0 to 9. */
    position: integer("position").notNull(),
    /** Random, because everybody sees it: nobody derives the application or the content from it. */
    id: text("id").notNull(),
    /** Of the stored bytes. */
    sha256: text("sha256").notNull(),
    contentType: text("content_type").notNull(),
    bytes: integer("bytes").notNull(),
  },
  (table) => [primaryKey({ columns: [table.application, table.productId, table.position] })],
);

/** Images whose bytes must be deleted from R2: replaced, deleted, or uploaded by a request that did not end. */
export const imageRemovals = sqliteTable(
  "image_removals",
  {
    application: text("application").notNull(),
    id: text("id").primaryKey(),
    /** From when on the bytes may be deleted, in seconds since the Unix epoch. */
    removeAt: real("remove_at").notNull(),
  },
  (table) => [index("image_removals_by_time").on(table.removeAt)],
);

/**
 * The declared attributes of each application, and the job that publishes them: it opens the outbox rows of all products
 * that have a value of a changed attribute, by id.
 */
export const catalogSchemas = sqliteTable(
  "catalog_schemas",
  {
    application: text("application").primaryKey(),
    /** Grows by one with each change. */
    version: integer("version").notNull(),
    /** By name. */
    attributes: text("attributes", { mode: "json" }).$type<Record<string, DeclaredAttribute>>().notNull(),
    /** Names of the attributes whose columns the running job changes. */
    changed: text("changed", { mode: "json" }).$type<string[]>().notNull(),
    /** The last product of the job's last step; null before the first. */
    position: text("position"),
    /** 1 once the job is done, otherwise 0. */
    done: integer("done").notNull(),
    /** Products that the job has looked at, and of those it has published. */
    checked: integer("checked").notNull(),
    published: integer("published").notNull(),
    /** Seconds since the Unix epoch. */
    updatedAt: real("updated_at").notNull(),
  },
  (table) => [index("catalog_schemas_by_state").on(table.done)],
);

/** Products whose newest version the spatial index has not applied yet. */
export const outbox = sqliteTable(
  "outbox",
  {
    application: text("application").notNull(),
    productId: text("product_id").notNull(),
    version: integer("version").notNull(),
    /** When the product was last enqueued, in seconds since the Unix epoch; 0 for never. */
    sentAt: real("sent_at").notNull(),
    /**
     * Keys: the addresses that the product left since the spatial index last applied a version. Any of them may still
     * hold the product.
     */
    leftCells: text("left_cells", { mode: "json" }).$type<Record<string, 1>>().notNull().default({}),
  },
  (table) => [
    primaryKey({ columns: [table.application, table.productId] }),
    index("outbox_by_time").on(table.application, table.sentAt),
  ],
);
