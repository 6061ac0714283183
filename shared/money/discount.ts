/** Parts of a whole price in which discounts are counted. */
export const wholePrice = 1_000_000;

/** Returns a discount (a share of the price, 0 to 1) in whole millionths, rounded to the nearest. */
export const discountMillionths = (share: number): number => Math.round(share * wholePrice);

/** Returns the share of a discount in millionths. */
export const discountShare = (millionths: number): number => millionths / wholePrice;

/**
 * Returns a price after its discount, in minor units, rounded to the nearest, halves up. All intermediate values are
 * whole numbers below 2^53, so the result is exact up to prices of 1e13 minor units.
 */
export function priceAfterDiscount(priceMinor: number, millionths: number): number {
  if (millionths === 0) return priceMinor;
  const kept = wholePrice - millionths;
  const rest = priceMinor % wholePrice;
  const millions = (priceMinor - rest) / wholePrice;
  return millions * kept + Math.floor((rest * kept + wholePrice / 2) / wholePrice);
}
