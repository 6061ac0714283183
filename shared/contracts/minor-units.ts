import { currencyDigits } from "./currency-digits.ts";

/**
 * Largest amount of money in units of its currency. In minor units of any currency it has at most 15 digits, so that it
 * is exact as a number.
 */
export const maxAmount = 1e11;

/**
 * Returns a decimal number times ten to the power of `places`, correctly rounded. Multiplication would not be exact:
 * `1.005 * 100` is 100.49999999999999.
 */
function shiftDecimal(value: number, places: number): number {
  const [digits, exponent = "0"] = String(value).split("e");
  return Number(`${digits}e${Number(exponent) + places}`);
}

/**
 * Share and absolute bound, in minor units, of the distance from a whole number that counts as noise of arithmetic with
 * binary fractions, as in `19.950000000000003`.
 */
const noise = { share: 1e-9, minorUnits: 1e-3 };

/** Returns the nearest whole number if the value differs from it by noise only; null otherwise. */
function wholeWithinNoise(value: number): number | null {
  const whole = Math.round(value);
  return Math.abs(value - whole) <= Math.min(whole * noise.share, noise.minorUnits) ? whole : null;
}

/**
 * Returns an amount in whole minor units of its currency (cents for EUR), or null if the amount has more digits than the
 * currency. Amounts are at least 0, and at most {@link maxAmount}. Null as currency stands for two digits.
 */
export const minorUnitsOf = (amount: number, currency: string | null): number | null =>
  wholeWithinNoise(shiftDecimal(amount, currencyDigits(currency)));

/** Returns an amount in minor units, rounded to the nearest, halves up. For amounts that were not checked before. */
export const nearestMinorUnits = (amount: number, currency: string | null): number =>
  minorUnitsOf(amount, currency) ?? Math.round(shiftDecimal(amount, currencyDigits(currency)));

/** Returns the smallest amount in minor units that is not below a bound in units of the currency. */
export const minorUnitsAtLeast = (bound: number, currency: string | null): number =>
  minorUnitsOf(bound, currency) ?? Math.ceil(shiftDecimal(bound, currencyDigits(currency)));

/** Returns the largest amount in minor units that is not above a bound in units of the currency. */
export const minorUnitsAtMost = (bound: number, currency: string | null): number =>
  minorUnitsOf(bound, currency) ?? Math.floor(shiftDecimal(bound, currencyDigits(currency)));

/**
 * Returns the decimal amount of minor units: 19.95 for 1995 cents. Both numbers of the division are exact, so its result
 * is the binary number nearest to the decimal one.
 */
export const decimalOf = (minorUnits: number, currency: string | null): number =>
  minorUnits / 10 ** currencyDigits(currency);
