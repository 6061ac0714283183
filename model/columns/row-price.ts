import { discountShare } from "../../shared/money/discount.ts";
import { type ShownPrice, shownPrice } from "../../shared/money/shown-price.ts";
import { type Columns, currencyOf } from "./columns.ts";
import { discountAt } from "./sale.ts";

/** Returns the price of a row as answers show it at a time, in seconds since the epoch. */
export const rowPrice = (columns: Columns, row: number, time: number): ShownPrice => {
  const priceMinor = columns.priceMinor[row];
  return shownPrice(
    Number.isNaN(priceMinor) ? null : priceMinor,
    currencyOf(columns, row),
    discountShare(discountAt(columns, row, time)),
  );
};
