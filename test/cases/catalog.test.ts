import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Vicinity } from "../../client/vicinity.ts";
import { weekdays } from "../../shared/contracts/opening-hours.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import { waitForNearbyProducts } from "../support/import-products.ts";
import { waitUntil } from "../support/polling.ts";
import { generateProducts, oslo } from "../support/products.ts";
import { TestStack } from "../support/test-stack.ts";

/** The time of a day relative to now. */
const inDays = (days: number): string => new Date(Date.now() + days * daySeconds * 1000).toISOString();
/** Open on two days of the week that are neither today, yesterday nor tomorrow in any time zone. */
const closedNow = [3, 4].map((days) => weekdays[(new Date().getUTCDay() + 6 + days) % 7]);
/** A point 30 km north of the products. */
const farAway = { lat: oslo.lat + 0.27, lon: oslo.lon };

const [coffee, tea, closed, delivered, sold, later, book] = generateProducts("c", oslo, 7);
const products = [
  { ...coffee, category: "Drinks > Coffee", brand: "Acme", attributes: { color: "red" } },
  { ...tea, category: undefined, categories: ["Gifts", "Drinks > Tea"], images: ["/assets/tea.svg"] },
  { ...closed, category: "Drinks", openingHours: [{ days: closedNow, opens: "10:00", closes: "11:00" }] },
  { ...delivered, category: "Lunch", serviceRadiusKm: 15 },
  { ...sold, category: "Lunch", price: 10, discount: 0.5, saleFrom: inDays(-2), saleUntil: inDays(-1) },
  { ...later, category: "Lunch", availableFrom: inDays(1) },
  { ...book, category: "Drinksware", discount: 0.5, saleUntil: inDays(1), url: "https://shop.example/book" },
];

const stack = new TestStack();
let vicinity: Vicinity;

beforeAll(async () => {
  await stack.start();
  vicinity = new Vicinity({ url: stack.url, credential: "dev-admin-key" });
  expect(await vicinity.products.putMany(products)).toMatchObject({ accepted: products.length });
  await waitForNearbyProducts(
    stack,
    oslo,
    products.filter(({ id }) => id !== later.id),
  );
});
afterAll(() => stack.stop());

type Filter = NonNullable<Parameters<Vicinity["recommend"]>[0]["filter"]>;
const recommended = async (filter: Filter, location = oslo): Promise<string[]> => {
  const { items } = await vicinity.recommend({ userId: "ann", location, limit: 50, filter });
  return items.map(({ productId }) => productId).sort();
};

describe("the catalog", () => {
  it("finds a category with all below it, on every path", async () => {
    const drinks = ["c-0", "c-1", "c-2"];
    expect(await recommended({ categories: ["Drinks"] })).toEqual(drinks);
    expect(await recommended({ categories: ["Drinks > Coffee"] })).toEqual(["c-0"]);
    const { items } = await vicinity.nearby(oslo, { category: "Drinks", limit: 50 });
    expect(items.map(({ productId }) => productId).sort()).toEqual(drinks);
  });

  it("leaves out what is closed if it must, and what is not available yet", async () => {
    expect(await recommended({ openNow: true })).toEqual(["c-0", "c-1", "c-3", "c-4", "c-6"]);
    expect(await recommended({})).not.toContain("c-5");
    expect(await recommended({ includeUnavailable: true })).toContain("c-5");
  });

  it("shows a product with a service radius to nobody beyond it", async () => {
    expect(await recommended({})).toContain("c-3");
    expect(await recommended({}, farAway)).not.toContain("c-3");
    const lists = await Promise.all([
      vicinity.nearby(farAway, { limit: 50 }),
      vicinity.trending(farAway, { limit: 50 }),
    ]);
    for (const { items } of lists) {
      const ids = items.map(({ productId }) => productId);
      expect(ids).toContain("c-0");
      expect(ids).not.toContain("c-3");
    }
  });

  it("shows the price of today, brand, categories, page and picture", async () => {
    const { items } = await vicinity.recommend({ userId: "ann", location: oslo, limit: 50 });
    const shown = new Map(items.map(({ productId, product }) => [productId, product]));
    expect(shown.get("c-4")).toMatchObject({ price: 10, priceAfterDiscount: 10, discount: 0 });
    expect(shown.get("c-6")).toMatchObject({ discount: 0.5, url: "https://shop.example/book" });
    expect(shown.get("c-0")).toMatchObject({ brand: "Acme", isOpen: true });
    expect(shown.get("c-1")).toMatchObject({
      ...{ category: "Gifts", categories: ["Gifts", "Drinks > Tea"], image: "/assets/tea.svg" },
    });
    expect(shown.get("c-2")).toMatchObject({ isOpen: false });
    expect(await recommended({ discountMin: 0.1 })).toEqual(["c-6"]);
  });

  it("publishes a declared attribute of stored products, and refuses other types from then on", async () => {
    await vicinity.products.putSchema({ attributes: { color: { type: "string", filterable: true } } });
    await waitUntil(
      async () => (await vicinity.products.getSchema()).publication.status === "done",
      30,
      () => "the schema is not published",
    );
    expect((await vicinity.products.getSchema()).publication).toMatchObject({ checked: 7, published: 1 });
    const report = await vicinity.products.putMany([
      { ...book, attributes: { color: 5 } },
      { ...products[0], attributes: { color: "blue" } },
    ]);
    expect(report).toMatchObject({
      accepted: 1,
      rejected: 1,
      errors: [{ line: 1, path: "attributes.color" }],
    });
  });

  it("filters every list, and a stored scenario, by a declared attribute", async () => {
    const expression = 'product.attributes.color == "blue"';
    await waitUntil(
      async () => (await recommended({ expression })).join() === "c-0",
      30,
      () => "no list has the blue product alone",
    );
    const lists = await Promise.all([
      vicinity.nearby(oslo, { expression, limit: 50 }),
      vicinity.trending(oslo, { expression, limit: 50 }),
      vicinity.products.similar("c-2", { expression, limit: 50 }),
    ]);
    const ids = lists.map(({ items }) => items.map(({ productId }) => productId));
    expect(ids).toEqual([["c-0"], ["c-0"], ["c-0"]]);
    const put = (filter: object) =>
      stack.call("PUT", "/v1/scenarios/blue", { key: "dev-admin-key", body: { filter } });
    expect((await put({ expression })).status).toBe(200);
    const { items } = await vicinity.recommend({ userId: "ann", location: oslo, scenario: "blue" });
    expect(items.map(({ productId }) => productId)).toEqual(["c-0"]);
    expect(await put({ expression: 'product.attributes.colour == "blue"' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: "filter.expression", nearest: "product.attributes.color" }] },
    });
  });
});
