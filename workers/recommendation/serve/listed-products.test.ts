import { describe, expect, it } from "vitest";
import type { CardRequest, ProductCard } from "../../../shared/contracts/product.ts";
import { ok, unwrap } from "../../../shared/contracts/result.ts";
import { listProducts } from "./listed-products.ts";

const cardOf = (id: string, more: Partial<ProductCard> = {}): ProductCard => ({
  id,
  title: id,
  category: "cafe",
  price: null,
  priceAfterDiscount: null,
  currency: null,
  discount: 0,
  rating: null,
  available: true,
  groupId: null,
  image: null,
  location: null,
  cell: "c",
  version: 1,
  ...more,
});

/** Lists products of a catalog. Returns their ids, and the number of calls. */
async function listFrom(application: string, cards: ProductCard[], ranking: string[], limit: number) {
  let calls = 0;
  const byId = new Map(cards.map((card) => [card.id, card]));
  const catalog = {
    getCards: async (_application: string, wanted: readonly CardRequest[]) => {
      calls++;
      return ok(wanted.flatMap(({ productId }) => byId.get(productId) ?? []));
    },
  };
  const requests = ranking.map((productId) => ({ productId, version: 1 }));
  const listed = await listProducts(
    catalog,
    application,
    requests,
    limit,
    (block, row) => block.available[row] === 1,
  );
  return { ids: unwrap(listed, "the catalog").map(({ card }) => card.id), calls };
}

describe("listProducts", () => {
  const ids = Array.from({ length: 200 }, (_, i) => `p${i}`);

  it("asks once if all products are listed", async () => {
    const { ids: listed, calls } = await listFrom(
      "all",
      ids.map((id) => cardOf(id)),
      ids,
      10,
    );
    expect(listed).toEqual(ids.slice(0, 10));
    expect(calls).toBe(1);
  });

  it("replaces products that are gone in a few calls, however many are gone", async () => {
    const { ids: listed, calls } = await listFrom("gone", [cardOf("p150"), cardOf("p199")], ids, 1);
    expect(listed).toEqual(["p150"]);
    expect(calls).toBeLessThanOrEqual(8);
  });

  it("L4: tests a card that is newer than its tile again, and lists the first of a group", async () => {
    const cards = [
      cardOf("p0", { version: 2, available: false }),
      cardOf("p1", { groupId: "shirt" }),
      cardOf("p2", { groupId: "shirt" }),
      cardOf("p3"),
    ];
    expect((await listFrom("newer", cards, ["p0", "p1", "p2", "p3"], 3)).ids).toEqual(["p1", "p3"]);
  });
});
