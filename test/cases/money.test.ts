import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Vicinity } from "../../client/vicinity.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { waitForNearbyProducts } from "../support/import-products.ts";
import { generateProducts, oslo } from "../support/products.ts";
import { TestStack } from "../support/test-stack.ts";

/** Price, currency and discount of each product; all are in Oslo. */
const prices = [
  [19.95, "NOK", 0],
  [9.99, "NOK", 0],
  [19.95, "EUR", 0],
  [19.95, null, 0],
  [1995, "JPY", 0],
  [24_999_001, "VND", 0],
  [66.5, "NOK", 0.7],
  [1.234, "KWD", 0],
] as const;
const products = generateProducts("p", oslo, prices.length).map((each, i) => {
  const [price, currency, discount] = prices[i];
  return { ...each, category: "cafe", price, currency, discount, groupId: i < 2 ? `group-${i}` : null };
});

const stack = new TestStack();
let vicinity: Vicinity;
type Filter = NonNullable<Parameters<Vicinity["recommend"]>[0]["filter"]>;

beforeAll(async () => {
  await stack.start();
  vicinity = new Vicinity({ url: stack.url, credential: "dev-admin-key" });
  expect(await vicinity.products.putMany(products)).toMatchObject({ accepted: products.length });
  await waitForNearbyProducts(stack, oslo, products);
});
afterAll(() => stack.stop());

const recommend = (filter: Filter): Promise<RecommendationAnswer> =>
  vicinity.recommend({ userId: "ann", location: oslo, limit: 50, filter });
const found = async (filter: Filter) => {
  const answer = await recommend(filter);
  return { ids: answer.items.map(({ productId }) => productId).sort(), filter: answer.filter };
};

describe("money", () => {
  it("L3: a price matches its own bound, in the currency of the place, and the answer says which", async () => {
    const said = { currency: "NOK" };
    // 66.50 less 70% is 19.95.
    expect(await found({ priceMin: 19.95, priceMax: 19.95 })).toEqual({
      ids: ["p-0", "p-3", "p-6"],
      filter: said,
    });
    expect(await found({ priceMin: 9.99, priceMax: 19.94 })).toEqual({ ids: ["p-1"], filter: said });
    expect(await found({ discountMin: 0.7 })).toEqual({ ids: ["p-6"], filter: undefined });
  });

  it("L3: a filter applies to the currency that it names, with the digits of the currency", async () => {
    expect((await found({ priceMax: 19.95, currency: "EUR" })).ids).toEqual(["p-2", "p-3"]);
    expect((await found({ priceMin: 1995, priceMax: 1995, currency: "JPY" })).ids).toEqual(["p-4"]);
    expect((await found({ priceMin: 24_999_001, currency: "VND" })).ids).toEqual(["p-5"]);
    expect((await found({ priceMin: 24_999_002, currency: "VND" })).ids).toEqual([]);
    expect((await found({ priceMin: 1.234, priceMax: 1.234, currency: "KWD" })).ids).toEqual(["p-7"]);
    expect(await found({ currency: "EUR" })).toEqual({ ids: ["p-2", "p-3"], filter: { currency: "EUR" } });
  });

  it("L3: cards show the exact price before and after discount", async () => {
    const { items } = await recommend({});
    const shown = new Map(
      items.map(({ productId, product }) => [productId, [product.price, product.priceAfterDiscount]]),
    );
    expect(shown.get("p-5")).toEqual([24_999_001, 24_999_001]);
    expect(shown.get("p-6")).toEqual([66.5, 19.95]);
    expect(shown.get("p-7")).toEqual([1.234, 1.234]);
  });

  it("L3: every list filters by price in one currency, and says which", async () => {
    const inNok = { currency: "NOK" };
    const trending = await vicinity.trending(oslo, { priceMin: 19.95, priceMax: 19.95 });
    expect([trending.items.map(({ productId }) => productId).sort(), trending.filter]).toEqual([
      ["p-0", "p-3", "p-6"],
      inNok,
    ]);
    const nearby = await vicinity.nearby(oslo, { priceMax: 9.99 });
    expect([nearby.items.map(({ productId }) => productId), nearby.filter]).toEqual([["p-1"], inNok]);
    const ofProduct = await vicinity.products.similar("p-2", { priceMax: 19.95 });
    expect([ofProduct.items.map(({ productId }) => productId), ofProduct.filter]).toEqual([
      ["p-3"],
      { currency: "EUR" },
    ]);
    const yen = await vicinity.nearby(oslo, { priceMax: 1995, currency: "JPY" });
    expect([yen.items.map(({ productId }) => productId).sort(), yen.filter]).toEqual([
      ["p-3", "p-4"],
      { currency: "JPY" },
    ]);
  });

  it("L13: every list shows the currency beside each price, and the group", async () => {
    const expected = products.map(({ id, price, currency, groupId }) => [id, price, currency, groupId]);
    const { items } = await vicinity.nearby(oslo, { limit: 50 });
    expect(
      items.map(({ productId, price, currency, groupId }) => [productId, price, currency, groupId]).sort(),
    ).toEqual(expected);
    for (const list of [
      await recommend({}),
      await vicinity.trending(oslo, { limit: 50 }),
      await vicinity.products.similar("p-0", { limit: 50 }),
    ]) {
      expect(list.items.length).toBeGreaterThan(0);
      for (const { productId, product } of list.items)
        expect([productId, product.price, product.currency, product.groupId]).toEqual(
          expected.find(([id]) => id === productId),
        );
    }
    const stored = await vicinity.products.get("p-5");
    expect([stored.price, stored.currency]).toEqual([24_999_001, "VND"]);
  });
});
