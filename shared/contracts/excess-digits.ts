import { currencyDigits } from "./currency-digits.ts";
import { minorUnitsOf } from "./minor-units.ts";

/** Returns why an amount is not exact in its currency: it has more digits; null if it is exact. */
export function excessDigits(amount: number, currency: string | null): string | null {
  if (minorUnitsOf(amount, currency) !== null) return null;
  const digits = currencyDigits(currency);
  const of = currency ?? "an amount without a currency";
  return digits === 0
    ? `must be a whole number, since ${of} has no digits after the decimal point; got ${amount}`
    : `must have at most ${digits} digits after the decimal point, as ${of} has; got ${amount}`;
}
