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

/** Lists products of a catalog. Returns their ids, the number of calls, and whether it read the spare products. */
async function listFrom(
  application: string,
  cards: ProductCard[],
  ranking: string[],
  limit: number,
  spare: string[] = [],
) {
  let calls = 0;
  let readSpare = false;
  const byId = new Map(cards.map((card) => [card.id, card]));
  const catalog = {
    getCards: async (_application: string, wanted: readonly CardRequest[]) => {
      calls++;
      return ok(wanted.flatMap(({ productId }) => byId.get(productId) ?? []));
    },
  };
  const requestsOf = (of: string[]) => of.map((productId) => ({ productId, version: 1, createdAt: 0 }));
  const listed = await listProducts(
    catalog,
    application,
    {
      items: requestsOf(ranking),
      spare: () => {
        readSpare = true;
        return requestsOf(spare);
      },
    },
    limit,
    (block, row) => block.available[row] === 1,
  );
  return { ids: unwrap(listed, "the catalog").map(({ card }) => card.id), calls, readSpare };
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

  it("reads spare products only if too few of the items are listed", async () => {
    const cards = ids.map((id) => cardOf(id));
    const whole = await listFrom("whole", cards, ids.slice(0, 3), 3, ids.slice(3, 9));
    expect(whole).toMatchObject({ ids: ["p0", "p1", "p2"], calls: 1, readSpare: false });
    const gone = await listFrom("short", cards.slice(1), ids.slice(0, 3), 3, ids.slice(3, 9));
    expect(gone).toMatchObject({ ids: ["p1", "p2", "p3"], calls: 2, readSpare: true });
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
