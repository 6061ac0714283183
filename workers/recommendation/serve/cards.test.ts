import { describe, expect, it } from "vitest";
import type { CardRequest, ProductCard } from "../../../shared/contracts/product.ts";
import { ok } from "../../../shared/contracts/result.ts";
import { loadCardsById } from "./cards.ts";

const cardOf = (id: string, version: number): ProductCard => ({
  id,
  title: id,
  category: "cafe",
  price: version,
  priceAfterDiscount: version,
  currency: "EUR",
  discount: 0,
  rating: null,
  available: true,
  groupId: null,
  image: null,
  location: null,
  cell: "c",
  version,
});

/** A catalog of product versions that records the requests. */
function catalogOf(versions: Record<string, number>) {
  const requests: CardRequest[][] = [];
  return {
    requests,
    versions,
    getCards: async (_application: string, wanted: readonly CardRequest[]) => {
      requests.push([...wanted]);
      return ok(
        wanted.flatMap(({ productId }) =>
          versions[productId] ? [cardOf(productId, versions[productId])] : [],
        ),
      );
    },
  };
}

describe("loadCardsById", () => {
  it("fetches a card once, and again when the tile has a newer version", async () => {
    const catalog = catalogOf({ a: 1, b: 1 });
    const prices = async (application: string, wanted: CardRequest[]) => {
      const cards = await loadCardsById(catalog, application, wanted);
      return cards.ok ? wanted.map(({ productId }) => cards.value.get(productId)?.price) : null;
    };
    const both = [
      { productId: "a", version: 1 },
      { productId: "b", version: 1 },
    ];
    expect(await prices("shop", both)).toEqual([1, 1]);
    expect(await prices("shop", both)).toEqual([1, 1]);
    expect(catalog.requests).toHaveLength(1);
    catalog.versions.a = 2;
    expect(await prices("shop", [{ productId: "a", version: 2 }, both[1]])).toEqual([2, 1]);
    expect(catalog.requests.at(-1)).toEqual([{ productId: "a", version: 2 }]);
    expect(await prices("shop", [both[0]])).toEqual([2]);
    expect(catalog.requests).toHaveLength(2);
    await prices("other", [both[1]]);
    expect(catalog.requests).toHaveLength(3);
  });

  it("ignores the cache if no version is known, and leaves out unknown products", async () => {
    const catalog = catalogOf({ c: 1 });
    for (let i = 0; i < 2; i++) {
      const cards = await loadCardsById(catalog, "shop", [
        { productId: "c", version: 0 },
        { productId: "unknown", version: 1 },
      ]);
      expect(cards.ok && [...cards.value.keys()]).toEqual(["c"]);
    }
    expect(catalog.requests.map((wanted) => wanted.length)).toEqual([2, 2]);
  });
});
