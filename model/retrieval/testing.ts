import type { Point } from "../../shared/contracts/primitives.ts";
import type { ProductChange } from "../../shared/contracts/product.ts";
import { emptyTotals } from "../../shared/contracts/totals.ts";
import type { Columns } from "../columns/columns.ts";
import { buildPyramid } from "../tiles/build-pyramid.ts";
import { addressOfProduct, type CellProduct } from "../tiles/cell-product.ts";
import type { ForwardingLookup } from "./product-columns.ts";
import type { TileSource } from "./tile-source.ts";

/** Time at which the tests build tiles: 2023-11-14. */
export const time = 1_700_000_000;

/** Returns a product of a cell, with `purchases` purchases in the hour of {@link time}. */
export function makeProduct(
  id: string,
  location: Point | null,
  more: Partial<ProductChange> = {},
  purchases = 0,
): CellProduct {
  const counts = { ...emptyTotals(), purchase: purchases, people: purchases, buyers: purchases };
  return {
    cell: addressOfProduct({ productId: id, location }),
    change: {
      productId: id,
      version: 1,
      deleted: false,
      title: id,
      category: "cafe",
      priceMinor: 1000,
      currency: "EUR",
      discount: 0,
      rating: null,
      available: true,
      groupId: null,
      location,
      previousCell: null,
      createdAt: time,
      ...more,
    },
    hours: purchases > 0 ? [{ ...counts, hour: Math.floor(time / 3600) }] : [],
    nextProducts: [],
  };
}

/** Builds the tiles of products, on UTC clocks. */
export const pyramid = (products: CellProduct[]): TileSource & ForwardingLookup =>
  buildPyramid(products, time, () => () => 0);

/** Returns the product ids of a block. */
export const idsOf = (columns: Columns): string[] =>
  Array.from({ length: columns.count }, (_, row) => columns.id(row));
