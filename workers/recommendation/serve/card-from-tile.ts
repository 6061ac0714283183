import { type Columns, groupIdOf } from "../../../model/columns/columns.ts";
import { decimalFromFloat32 } from "../../../model/columns/decimal-from-float32.ts";
import { rowPrice } from "../../../model/columns/row-price.ts";
import type { ListedCard } from "./listed-products.ts";

/** Returns the rating in a 32-bit column; null for NaN. */
const ratingOf = (value: number): number | null => (Number.isNaN(value) ? null : decimalFromFloat32(value));

/** Returns the card of the product in a row of a block of candidates, which has no image and no address. */
export function cardFromTile(block: Columns, row: number): ListedCard {
  const hasLocation = !Number.isNaN(block.lat[row]);
  return {
    id: block.id(row),
    title: block.title(row),
    category: block.strings[block.category[row]],
    ...rowPrice(block, row),
    rating: ratingOf(block.rating[row]),
    available: block.available[row] === 1,
    groupId: groupIdOf(block, row),
    image: null,
    location: hasLocation ? { lat: block.lat[row], lon: block.lon[row] } : null,
    version: block.version[row],
  };
}
