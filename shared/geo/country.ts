import { featuresContaining } from "@rapideditor/country-coder";
import type { Point } from "../contracts/primitives.ts";

/** The properties of a region of `@rapideditor/country-coder` that {@link countryOf} reads. */
interface Region {
  id: string;
  iso1A2: string | undefined;
  /** `official` for a code of ISO 3166-1; `usrAssn` for XK, Kosovo; `excRes` for parts of a country such as EA and IC. */
  isoStatus: string | undefined;
}

/** Regions for which the package has another country than ISO 3166, by their Wikidata id. */
const isoCountries = new Map([
  // Crimea: UA-40 and UA-43 in ISO 3166-2.
  ["Q7835", "UA"],
  // Northern Cyprus: part of CY in ISO 3166-1.
  ["Q23681", "CY"],
]);

/** Degrees by which a point at longitude 180 is moved east or west, since borders are cut there. */
const antimeridianStep = 1e-6;

/**
 * Returns the country whose borders contain a point, as ISO 3166-1 alpha-2; null outside of all borders, as at sea.
 * Dependent territories have their own code (PR, HK, SJ). Kosovo is XK, as in GeoNames. Borders are generalized to some
 * hundred meters, and include coastal waters. The data has 690 kB, so only workers that need it should import this file.
 */
export function countryOf(point: Point): string | null {
  const { lat, lon } = point;
  if (Math.abs(lon) < 180) return countryAt(lat, lon);
  return countryAt(lat, 180 - antimeridianStep) ?? countryAt(lat, antimeridianStep - 180);
}

function countryAt(lat: number, lon: number): string | null {
  for (const { properties } of featuresContaining([lon, lat])) {
    const { id, iso1A2, isoStatus }: Region = properties;
    const country = isoCountries.get(id);
    if (country !== undefined) return country;
    if (iso1A2 !== undefined && (isoStatus === "official" || isoStatus === "usrAssn")) return iso1A2;
  }
  return null;
}
