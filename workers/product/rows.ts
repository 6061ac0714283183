import { hash53 } from "../../model/columns/hash.ts";
import { toInstant } from "../shared/contracts/primitives.ts";
import type {
  Product,
  ProductCard,
  ProductChange,
  ProductInput,
  ProductPatch,
} from "../shared/contracts/product.ts";
import { leafCellOf } from "../shared/geo/cells.ts";
import type { products } from "./schema.ts";

export type ProductRow = typeof products.$inferSelect;

/** Public, immutable path of an image's bytes. */
export const imagePath = (application: string, sha256: string): string =>
  `/v1/images/${application}/${sha256}`;

const locationOf = (row: ProductRow) =>
  row.lat === null || row.lon === null ? null : { lat: row.lat, lon: row.lon };

/** A stored row as a client reads it. */
export const productOf = (row: ProductRow, imageHashes: string[]): Product => ({
  id: row.productId,
  title: row.title,
  category: row.category,
  price: row.price,
  currency: row.currency,
  discount: row.discount,
  rating: row.rating,
  location: locationOf(row),
  available: row.available === 1,
  attributes: row.attributes,
  images: imageHashes.map((sha256) => imagePath(row.application, sha256)),
  updatedAt: toInstant(row.updatedAt),
});

/** What an answer shows of a row. */
export const cardOf = (row: ProductRow, firstImage: string | null): ProductCard => ({
  id: row.productId,
  title: row.title,
  category: row.category,
  price: row.price,
  currency: row.currency,
  discount: row.discount,
  rating: row.rating,
  available: row.available === 1,
  image: firstImage === null ? null : imagePath(row.application, firstImage),
  location: locationOf(row),
  cell: row.cell,
  version: row.version,
});

/** What the spatial index is told of a row. */
export const changeOf = (row: ProductRow): ProductChange => ({
  productId: row.productId,
  version: row.version,
  deleted: row.deleted === 1,
  title: row.title,
  category: row.category,
  price: row.price,
  currency: row.currency,
  discount: row.discount,
  rating: row.rating,
  available: row.available === 1,
  location: locationOf(row),
  previousCell: row.previousCell,
  createdAt: row.createdAt,
});

/** The leaf cell that will hold a product. */
export const cellOf = (input: ProductInput): string => leafCellOf(input.location, hash53(input.id));

/** A row with a client's changes; what is left out stays. */
export function patched(row: ProductRow, patch: ProductPatch): ProductInput {
  const before = productOf(row, []);
  return {
    id: before.id,
    title: patch.title ?? before.title,
    category: patch.category ?? before.category,
    price: patch.price === undefined ? before.price : patch.price,
    currency: patch.currency === undefined ? before.currency : patch.currency,
    discount: patch.discount ?? before.discount,
    rating: patch.rating === undefined ? before.rating : patch.rating,
    location: patch.location === undefined ? before.location : patch.location,
    available: patch.available ?? before.available,
    attributes: patch.attributes ?? before.attributes,
  };
}
