import type { Columns } from "../../../model/columns/columns.ts";
import type { ProductCard } from "../../../shared/contracts/product.ts";

/** A number of a 32-bit column as the decimal that was written; null where there is none. */
const decimal = (value: number): number | null => (Number.isNaN(value) ? null : Number(value.toPrecision(7)));

/** What a row of a tile says of a product, as a card: all but its picture. */
export function cardOfRow(block: Columns, row: number): ProductCard {
  const placed = !Number.isNaN(block.lat[row]);
  const currency = block.strings[block.currency[row]];
  return {
    id: block.id(row),
    title: block.title(row),
    category: block.strings[block.category[row]],
    price: decimal(block.price[row]),
    currency: currency === undefined || currency === "" ? null : currency,
    discount: decimal(block.discount[row]) ?? 0,
    rating: decimal(block.rating[row]),
    available: block.available[row] === 1,
    image: null,
    location: placed ? { lat: block.lat[row], lon: block.lon[row] } : null,
    cell: block.strings[block.cell[row]],
    version: block.version[row],
  };
}
