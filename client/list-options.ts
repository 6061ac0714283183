/** Which products a list contains, and how many. Prices are after discount, in units of the currency. */
export interface ListOptions {
  /** Products to return, at most. */
  limit?: number;
  /** Categories; a product of any of them is listed. */
  category?: string | readonly string[];
  priceMin?: number;
  priceMax?: number;
  /** Share of the price, 0 to 1. */
  discountMin?: number;
  radiusKm?: number;
  /** Also lists products that are not available. */
  includeUnavailable?: boolean;
  /** Ids of products to leave out. */
  exclude?: string | readonly string[];
}
