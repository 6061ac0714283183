import { describe, expect, it } from "vitest";
import type { CardRequest, ProductCard } from "../../../shared/contracts/product.ts";
import { ok } from "../../../shared/contracts/result.ts";
import { fetchProductFacts } from "../ingest/product-facts.ts";
import { loadCardsById } from "./cards.ts";

/** A catalog that has every product, and counts the products that it was asked for by application. */
function countingCatalog() {
  const asked = new Map<string, number>();
  const cardOf = (id: string): ProductCard => ({
    ...{ id, title: id, category: "", price: null, priceAfterDiscount: null, currency: null, discount: 0 },
    ...{
      rating: null,
      available: true,
      groupId: null,
      image: null,
      location: null,
      cell: "world-1",
      version: 1,
    },
  });
  return {
    asked,
    getCards: async (application: string, wanted: readonly CardRequest[]) => {
      asked.set(application, (asked.get(application) ?? 0) + wanted.length);
      return ok(wanted.map(({ productId }) => cardOf(productId)));
    },
  };
}

const ids = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const batches = (all: string[], size: number): string[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));

describe("an application that reads its whole large catalog", () => {
  it("leaves the cards of another application in memory", async () => {
    const catalog = countingCatalog();
    const load = (application: string, productIds: string[]) =>
      loadCardsById(
        catalog,
        application,
        productIds.map((productId) => ({ productId, version: 1 })),
      );
    await load("small", ids("p", 500));
    for (const batch of batches(ids("p", 30_000), 1000)) await load("flood", batch);
    expect((await load("small", ids("p", 500))).ok).toBe(true);
    expect(catalog.asked.get("small")).toBe(500);
  });

  it("leaves the facts of another application's products in memory", async () => {
    const catalog = countingCatalog();
    await fetchProductFacts(catalog, "small", ids("p", 500), 0);
    for (const batch of batches(ids("p", 60_000), 1000)) await fetchProductFacts(catalog, "flood", batch, 0);
    await fetchProductFacts(catalog, "small", ids("p", 500), 0);
    expect(catalog.asked.get("small")).toBe(500);
  });
});
