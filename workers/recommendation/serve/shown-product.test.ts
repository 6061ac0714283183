import { describe, expect, it } from "vitest";
import type { ListedCard } from "./listed-products.ts";
import { shownProductOf } from "./shown-product.ts";

const card: ListedCard = {
  ...{
    id: "a",
    title: "Beans",
    category: "Drinks > Coffee",
    price: 10,
    priceAfterDiscount: 5,
    currency: "EUR",
  },
  ...{ discount: 0.5, rating: null, available: true, groupId: null, image: null, location: null },
  ...{ cell: "c", version: 3 },
};
const now = Date.parse("2026-07-06T12:00:00Z") / 1000;

describe("shownProductOf", () => {
  it("shows a card of an earlier release, which has no values of columns", () => {
    const { cell: _cell, version: _version, ...product } = card;
    expect(shownProductOf(card, now)).toEqual({
      ...product,
      categories: ["Drinks > Coffee"],
      ...{ brand: null, url: null, saleUntil: null, isOpen: true },
    });
  });

  it("shows the discount only while the sale lasts", () => {
    const onSale = (from: number, until: number) =>
      shownProductOf(
        {
          ...card,
          columns: [
            { name: "saleFrom", type: "time", value: now + from },
            { name: "saleUntil", type: "time", value: now + until },
          ],
        },
        now,
      );
    const saleUntil = new Date((now + 9) * 1000).toISOString();
    expect(onSale(0, 9)).toMatchObject({ price: 10, priceAfterDiscount: 5, discount: 0.5, saleUntil });
    const full = { price: 10, priceAfterDiscount: 10, discount: 0, saleUntil: null };
    expect(onSale(1, 9)).toMatchObject(full);
    expect(onSale(-9, 0)).toMatchObject(full);
  });

  it("shows brand, further categories, and whether the place is open", () => {
    const columns: ListedCard["columns"] = [
      { name: "brand", type: "string", value: "Acme" },
      { name: "moreCategories", type: "list", value: ["Gifts"] },
      { name: "openingHours", type: "string", value: "UTC 0-60" },
    ];
    const shown = shownProductOf({ ...card, columns, url: "https://shop.example/a" }, now);
    expect(shown).toMatchObject({
      ...{ brand: "Acme", categories: ["Drinks > Coffee", "Gifts"], isOpen: false },
      url: "https://shop.example/a",
    });
    expect(shown).not.toHaveProperty("columns");
  });
});
