import type { Interaction } from "../../../shared/contracts/event.ts";

/** Returns a view of a product of a café at a Unix time in seconds. `more` replaces fields. */
export const interaction = (
  productId: string,
  time: number,
  more: Partial<Interaction> = {},
): Interaction => ({
  eventId: `${productId}-${time}`,
  type: "view",
  productId,
  time,
  recommendationId: null,
  location: null,
  facts: { cell: "c", lat: 59.9, lon: 10.7, category: "cafe", priceMinor: 1000, currency: "EUR" },
  ...more,
});
