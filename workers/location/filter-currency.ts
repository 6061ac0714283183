import type { TileSource } from "../../model/retrieval/tile-source.ts";
import { usualCurrency } from "../../model/retrieval/usual-currency.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import { countryOf } from "../../shared/geo/country.ts";
import { currencyOfCountry } from "../../shared/money/country-currency.ts";

/** Returns the currency of a place: that of its country, else that of most popular products, else null. */
export const currencyAt = async (tiles: TileSource, point: Point | null): Promise<string | null> =>
  currencyOfCountry(point && countryOf(point)) ?? usualCurrency(tiles);
