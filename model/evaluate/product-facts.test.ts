import { describe, expect, it } from "vitest";
import { readProducts } from "../data/testing.ts";
import { choice, shop } from "./baselines/testing.ts";
import { hasContent, lateProducts } from "./product-facts.ts";

describe("lateProducts", () => {
  const choices = (ids: string) => [...ids].map((id, i) => choice(id, i));

  it("returns what is chosen in the newest tenth alone", () => {
    expect(lateProducts(choices("aaaaaaaabbbbbbbbbbac"))).toEqual(new Set(["c"]));
    expect(lateProducts(choices("aaaaaaaaab"))).toEqual(new Set(["b"]));
    expect(lateProducts(choices("baaaaaaaab"))).toEqual(new Set());
    expect(lateProducts([])).toEqual(new Set());
  });

  it("does not count dismissals", () => {
    const dismissed = { ...choice("b", 0), type: "dismiss" as const };
    expect(lateProducts([dismissed, ...choices("aaaaaaaaab")])).toEqual(new Set(["b"]));
  });
});

describe("hasContent", () => {
  const [product] = shop({}).items.values();

  it("knows a product by a title, a description, a brand or an attribute in words", () => {
    const bare = { ...product, title: `${product.category} ${product.id}` };
    expect(hasContent(bare)).toBe(false);
    expect(hasContent({ ...bare, attributes: { sugar: 3 } })).toBe(false);
    expect(hasContent({ ...bare, title: "Green tea" })).toBe(true);
    expect(hasContent({ ...bare, attributes: { taste: "sweet" } })).toBe(true);
    expect(hasContent({ ...bare, details: { brand: "Leaf" } })).toBe(true);
    expect(hasContent({ ...bare, details: { description: "From Uji." } })).toBe(true);
  });

  it("takes no title that the reader of files made up", () => {
    const { dataset } = readProducts(["item_id:token\tcategory:token", "7\ttea", "8\t"]);
    expect([...dataset.items.values()].map(hasContent)).toEqual([false, false]);
  });
});
