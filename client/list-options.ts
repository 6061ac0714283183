/** Which products a list contains, and how many. Prices are after discount, in units of `currency`. */
export interface ListOptions {
  /** Products to return, at most. */
  limit?: number;
  /** Categories; a product of any of them, or of one below, is listed. */
  category?: string | readonly string[];
  priceMin?: number;
  priceMax?: number;
  /** ISO 4217 code; by default the currency of the place. The answer's `filter.currency` says which. */
  currency?: string;
  /** Share of the price, 0 to 1. */
  discountMin?: number;
  radiusKm?: number;
  /** Also lists products that are not available. */
  includeUnavailable?: boolean;
  /** Leaves out products whose place is closed now. */
  openNow?: boolean;
  /** Condition that each product must meet: `product.rating >= 4.0 && distanceKm < 3.0`. */
  expression?: string;
  /** Ids of products to leave out. */
  exclude?: string | readonly string[];
}
