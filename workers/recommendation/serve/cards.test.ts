import { describe, expect, it } from "vitest";
import type { CardRequest, ProductCard } from "../../../shared/contracts/product.ts";
import { ok } from "../../../shared/contracts/result.ts";
import { cardsOf } from "./cards.ts";

const cardOf = (id: string, version: number): ProductCard => ({
  id,
  title: id,
  category: "cafe",
  price: version,
  currency: "EUR",
  discount: 0,
  rating: null,
  available: true,
  image: null,
  location: null,
  cell: "c",
  version,
});

/** A catalogue that answers the version that it has, and notes what it was asked. */
function catalogOf(versions: Record<string, number>) {
  const asked: CardRequest[][] = [];
  return {
    asked,
    versions,
    cards: async (_application: string, wanted: readonly CardRequest[]) => {
      asked.push([...wanted]);
      return ok(
        wanted.flatMap(({ productId }) =>
          versions[productId] ? [cardOf(productId, versions[productId])] : [],
        ),
      );
    },
  };
}

describe("the cards of an isolate", () => {
  it("are asked for once, and again when the tile shows a newer version", async () => {
    const catalog = catalogOf({ a: 1, b: 1 });
    const prices = async (application: string, wanted: CardRequest[]) => {
      const cards = await cardsOf(catalog, application, wanted);
      return cards.ok ? wanted.map(({ productId }) => cards.value.get(productId)?.price) : null;
    };
    const both = [
      { productId: "a", version: 1 },
      { productId: "b", version: 1 },
    ];
    expect(await prices("shop", both)).toEqual([1, 1]);
    expect(await prices("shop", both)).toEqual([1, 1]);
    expect(catalog.asked).toHaveLength(1);
    catalog.versions.a = 2;
    expect(await prices("shop", [{ productId: "a", version: 2 }, both[1]])).toEqual([2, 1]);
    expect(catalog.asked.at(-1)).toEqual([{ productId: "a", version: 2 }]);
    expect(await prices("shop", [both[0]])).toEqual([2]);
    expect(catalog.asked).toHaveLength(2);
    await prices("other", [both[1]]);
    expect(catalog.asked).toHaveLength(3);
  });

  it("are never from memory where no version is known, and absent where there is no product", async () => {
    const catalog = catalogOf({ c: 1 });
    for (let i = 0; i < 2; i++) {
      const cards = await cardsOf(catalog, "shop", [
        { productId: "c", version: 0 },
        { productId: "nothing", version: 1 },
      ]);
      expect(cards.ok && [...cards.value.keys()]).toEqual(["c"]);
    }
    expect(catalog.asked.map((wanted) => wanted.length)).toEqual([2, 2]);
  });
});
