import { z } from "zod";
import { boundedRecord, categoryName, currencyCode, identifier, instant, point } from "./primitives.ts";
import { totals } from "./totals.ts";

const attributeValue = z.union([z.string().max(1024), z.number(), z.boolean(), z.null()]);

/** A product as a client writes it; money in the currency's units, `discount` a share of the price. */
export const productInput = z.strictObject({
  id: identifier,
  title: z.string().min(1).max(512),
  category: categoryName.default("unknown"),
  price: z.number().min(0).max(1e9).nullable().default(null),
  currency: currencyCode.nullable().default(null),
  discount: z.number().min(0).max(1).default(0),
  rating: z.number().min(0).max(10).nullable().default(null),
  location: point.nullable().default(null),
  available: z.boolean().default(true),
  attributes: boundedRecord(64, attributeValue).default({}),
});
export type ProductInput = z.infer<typeof productInput>;

/** Changes to a product; what is left out stays. */
export const productPatch = z
  .strictObject({
    title: z.string().min(1).max(512),
    category: categoryName,
    price: z.number().min(0).max(1e9).nullable(),
    currency: currencyCode.nullable(),
    discount: z.number().min(0).max(1),
    rating: z.number().min(0).max(10).nullable(),
    location: point.nullable(),
    available: z.boolean(),
    attributes: boundedRecord(64, attributeValue),
  })
  .partial();
export type ProductPatch = z.infer<typeof productPatch>;

/** A stored product. `images` are the paths under which they are served. */
export const product = z.object({
  id: identifier,
  title: z.string(),
  category: z.string(),
  price: z.number().nullable(),
  currency: z.string().nullable(),
  discount: z.number(),
  rating: z.number().nullable(),
  location: point.nullable(),
  available: z.boolean(),
  attributes: z.record(z.string(), attributeValue),
  images: z.array(z.string()),
  updatedAt: instant,
});
export type Product = z.infer<typeof product>;

export const productWithTotals = product.extend({ totals });
export type ProductWithTotals = z.infer<typeof productWithTotals>;

/** What an answer shows of a product, and what an event needs to know of it. */
export const productCard = z.object({
  id: identifier,
  title: z.string(),
  category: z.string(),
  price: z.number().nullable(),
  currency: z.string().nullable(),
  discount: z.number(),
  rating: z.number().nullable(),
  available: z.boolean(),
  image: z.string().nullable(),
  location: point.nullable(),
  /** The leaf cell that holds the product. */
  cell: z.string(),
  version: z.number().int(),
});
export type ProductCard = z.infer<typeof productCard>;

/** A card that is asked for: of this version of the product or a newer one; 0 for any. */
export const cardRequest = z.object({ productId: identifier, version: z.number().int().min(0) });
export type CardRequest = z.infer<typeof cardRequest>;

/** Cards of any version. */
export const cardsOfAnyVersion = (productIds: readonly string[]): CardRequest[] =>
  productIds.map((productId) => ({ productId, version: 0 }));

/** What the spatial index is told of a product. `deleted` products leave their cell. */
export const productChange = z.object({
  productId: identifier,
  /** Grows by one with every write of the product; the index keeps the newest. */
  version: z.number().int().min(1),
  deleted: z.boolean(),
  title: z.string(),
  category: z.string(),
  price: z.number().nullable(),
  currency: z.string().nullable(),
  discount: z.number(),
  rating: z.number().nullable(),
  available: z.boolean(),
  location: point.nullable(),
  /** The leaf cell before this write, if it was another one. */
  previousCell: z.string().nullable(),
  createdAt: z.number(),
});
export type ProductChange = z.infer<typeof productChange>;

/** Outcome of a bulk import: each bad line by its number (from 1), at most the first 100. */
export const bulkReport = z.object({
  received: z.number().int(),
  accepted: z.number().int(),
  duplicates: z.number().int(),
  rejected: z.number().int(),
  errors: z.array(z.object({ line: z.number().int(), message: z.string() })),
});
export type BulkReport = z.infer<typeof bulkReport>;
