import { type Columns, currencyOf, groupIdOf } from "../../../model/columns/columns.ts";
import { decimalFromFloat32 } from "../../../model/columns/decimal-from-float32.ts";
import { columnValuesOfRow } from "../../../model/columns/optional-values.ts";
import { discountShare } from "../../../shared/money/discount.ts";
import { shownPrice } from "../../../shared/money/shown-price.ts";
import type { ListedCard } from "./listed-products.ts";

/** Returns the rating in a 32-bit column; null for NaN. */
const ratingOf = (value: number): number | null => (Number.isNaN(value) ? null : decimalFromFloat32(value));

/** Returns the card of the product in a row of a block of candidates, which has no image and no address. */
export function cardFromTile(block: Columns, row: number): ListedCard {
  const priceMinor = block.priceMinor[row];
  const hasLocation = !Number.isNaN(block.lat[row]);
  return {
    id: block.id(row),
    title: block.title(row),
    category: block.strings[block.category[row]],
    ...shownPrice(
      Number.isNaN(priceMinor) ? null : priceMinor,
      currencyOf(block, row),
      discountShare(block.discountMillionths[row]),
    ),
    rating: ratingOf(block.rating[row]),
    available: block.available[row] === 1,
    groupId: groupIdOf(block, row),
    image: null,
    url: null,
    columns: columnValuesOfRow(block, row),
    location: hasLocation ? { lat: block.lat[row], lon: block.lon[row] } : null,
    version: block.version[row],
  };
}
