import { decimalOf } from "../contracts/minor-units.ts";
import { discountMillionths, priceAfterDiscount } from "./discount.ts";

/** A price as answers show it: decimals in units of the currency; null for a product without a price. */
export interface ShownPrice {
  price: number | null;
  /** Rounded to the digits of the currency, halves up. Filters compare it. */
  priceAfterDiscount: number | null;
  currency: string | null;
  /** Share of the price, 0 to 1. */
  discount: number;
}

/** Returns a price in minor units (null for none) as answers show it. */
export const shownPrice = (
  priceMinor: number | null,
  currency: string | null,
  discount: number,
): ShownPrice => ({
  price: priceMinor === null ? null : decimalOf(priceMinor, currency),
  priceAfterDiscount:
    priceMinor === null
      ? null
      : decimalOf(priceAfterDiscount(priceMinor, discountMillionths(discount)), currency),
  currency,
  discount,
});
