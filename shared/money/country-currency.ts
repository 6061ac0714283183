import currencyByCountry from "country-to-currency";

const currencies = new Map<string, string>(Object.entries(currencyByCountry));

/**
 * Returns the ISO 4217 code of the currency in which shops of a country (ISO 3166-1 alpha-2) name their prices; null for
 * an unknown country.
 */
export const currencyOfCountry = (country: string | null): string | null =>
  (country === null ? undefined : currencies.get(country)) ?? null;
