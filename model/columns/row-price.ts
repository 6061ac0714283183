import { discountShare } from "../../shared/money/discount.ts";
import { type ShownPrice, shownPrice } from "../../shared/money/shown-price.ts";
import { type Columns, currencyOf } from "./columns.ts";

/** Returns the price of a row as answers show it. */
export const rowPrice = (columns: Columns, row: number): ShownPrice => {
  const priceMinor = columns.priceMinor[row];
  return shownPrice(
    Number.isNaN(priceMinor) ? null : priceMinor,
    currencyOf(columns, row),
    discountShare(columns.discountMillionths[row]),
  );
};
