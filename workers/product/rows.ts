import { hash53 } from "../../model/columns/hash.ts";
import { decimalOf } from "../../shared/contracts/minor-units.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import type {
  Product,
  ProductCard,
  ProductChange,
  ProductInput,
  ProductPatch,
} from "../../shared/contracts/product.ts";
import { categoriesOf, unknownCategory } from "../../shared/contracts/product-details.ts";
import { addressOf } from "../../shared/geo/cells.ts";
import { shownPrice } from "../../shared/money/shown-price.ts";
import { columnValuesOf, type Declared } from "./column-values.ts";
import type { products } from "./schema.ts";
import { type DetailChanges, detailChangesOf, detailsOf } from "./stored-details.ts";

export type ProductRow = typeof products.$inferSelect;

/** New values of a product's columns. A new location comes with a new `cell`. */
export type ProductColumnChanges = Partial<
  Omit<ProductRow, "application" | "productId" | "version" | "details">
> & {
  details?: DetailChanges;
};

/** Returns the public path of an image. The content under an id never changes. */
export const imagePath = (id: string): string => `/v1/images/${id}`;

const locationOf = (row: ProductRow) =>
  row.lat === null || row.lon === null ? null : { lat: row.lat, lon: row.lon };

/** Returns a stored product as the API returns it. */
export const productOf = (row: ProductRow, imageIds: string[]): Product => ({
  id: row.productId,
  title: row.title,
  category: row.category,
  ...detailsOf(row.category, row.details),
  price: row.priceMinor === null ? null : decimalOf(row.priceMinor, row.currency),
  currency: row.currency,
  discount: row.discount,
  rating: row.rating,
  location: locationOf(row),
  available: row.available === 1,
  groupId: row.groupId,
  attributes: row.attributes,
  images: [...imageIds.map(imagePath), ...(row.details.imageUrls ?? [])],
  updatedAt: toInstant(row.updatedAt),
});

/** Returns the card of a stored product. */
export const productCardOf = (
  row: ProductRow,
  firstImage: string | null,
  declared: Declared,
): ProductCard => ({
  id: row.productId,
  title: row.title,
  category: row.category,
  ...shownPrice(row.priceMinor, row.currency, row.discount),
  rating: row.rating,
  available: row.available === 1,
  groupId: row.groupId,
  image: firstImage === null ? (row.details.imageUrls?.[0] ?? null) : imagePath(firstImage),
  url: row.details.url ?? null,
  columns: columnValuesOf(row, declared),
  location: locationOf(row),
  cell: row.cell,
  version: row.version,
});

/** Returns the changes that the spatial index needs: the product's state, once for each cell that must remove it. */
export function productChangesOf(row: ProductRow, leftCells: string[], declared: Declared): ProductChange[] {
  const change: ProductChange = {
    productId: row.productId,
    version: row.version,
    deleted: row.deleted === 1,
    title: row.title,
    category: row.category,
    priceMinor: row.priceMinor,
    currency: row.currency,
    discount: row.discount,
    rating: row.rating,
    available: row.available === 1,
    groupId: row.groupId,
    columns: columnValuesOf(row, declared),
    location: locationOf(row),
    previousCell: null,
    createdAt: row.createdAt,
  };
  // A product that has returned to a cell must not be removed from it.
  const left = leftCells.filter((cell) => cell !== row.cell);
  return left.length === 0 ? [change] : left.map((previousCell) => ({ ...change, previousCell }));
}

/** Returns a product's address in the spatial index. */
export const productAddress = ({ id, location }: Pick<ProductInput, "id" | "location">): string =>
  addressOf(location, hash53(id));

/** Returns the columns that a patch changes, except those of its price: see `patch-product.ts`. */
export function productColumnChanges(
  productId: string,
  patch: Omit<ProductPatch, "price" | "currency">,
): ProductColumnChanges {
  const { title, category, categories, discount, rating, groupId, attributes, ...others } = patch;
  const { location, available, ...details } = others;
  const same = { title, discount, rating, groupId, attributes };
  const main =
    categories === undefined
      ? category
      : categoriesOf({ category: category ?? unknownCategory, categories })[0];
  const changedDetails = detailChangesOf({ ...details, categories });
  return {
    ...Object.fromEntries(Object.entries(same).filter(([, value]) => value !== undefined)),
    ...(main === undefined ? {} : { category: main }),
    ...(Object.keys(changedDetails).length > 0 ? { details: changedDetails } : {}),
    ...(available === undefined ? {} : { available: available ? 1 : 0 }),
    ...(location === undefined
      ? {}
      : {
          lat: location?.lat ?? null,
          lon: location?.lon ?? null,
          cell: productAddress({ id: productId, location }),
        }),
  };
}
