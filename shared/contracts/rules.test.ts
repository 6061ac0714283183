import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { boost, caps, explore, grouping, objective, pin } from "./rules.ts";

/** Returns the paths and messages of what a schema refuses; none for an input that it takes. */
const problemsOf = (schema: z.ZodType, input: unknown): string[] =>
  (schema.safeParse(input).error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);

describe("a boost", () => {
  it("multiplies or adds", () => {
    expect(problemsOf(boost, { when: "true", multiply: 2 })).toEqual([]);
    expect(problemsOf(boost, { when: "true", multiply: null, add: -1 })).toEqual([]);
    expect(problemsOf(boost, { when: "true" })).toEqual([": must have either `multiply` or `add`"]);
    expect(problemsOf(boost, { when: "true", multiply: 2, add: 1 })).toEqual([
      "add: must have either `multiply` or `add`",
    ]);
  });
});

describe("a pin", () => {
  it("names a product or has a condition", () => {
    expect(problemsOf(pin, { productId: "p", position: 1 })).toEqual([]);
    expect(problemsOf(pin, { when: "true", position: 1 })).toEqual([]);
    expect(problemsOf(pin, { position: 1 })).toEqual([": must have either `productId` or `when`"]);
    expect(problemsOf(pin, { when: "true", productId: "p", position: 1 })).toEqual([
      "when: must have either `productId` or `when`",
    ]);
  });
});

describe("caps", () => {
  it("read what scenarios stored before, and attributes", () => {
    expect(caps.parse({ perCategory: 2, perGroup: 1 })).toEqual({ perCategory: 2, perGroup: 1 });
    expect(problemsOf(caps, { perBrand: 2, perAttribute: { color: 3 } })).toEqual([]);
    const many = Object.fromEntries(["a", "b", "c", "d", "e"].map((name) => [name, 1]));
    expect(problemsOf(caps, { perAttribute: many })).toEqual([
      "perAttribute: must name at most 4 attributes",
    ]);
  });
});

describe("a grouping", () => {
  it("is a property or an attribute", () => {
    for (const by of ["group", "category", "brand", "attributes.color"])
      expect(problemsOf(grouping, by)).toEqual([]);
    for (const by of ["color", "attributes.", "attributes.a-b"])
      expect(problemsOf(grouping, by)).toEqual([expect.stringContaining("must be `group`")]);
  });
});

describe("explore and objective", () => {
  it("have bounds, and a worth that something can have", () => {
    expect(problemsOf(explore, { share: 0.5, when: "true" })).toEqual([]);
    expect(problemsOf(explore, { share: 0.6 })).toHaveLength(1);
    expect(problemsOf(objective, { click: 1, purchase: 20, margin: "margin" })).toEqual([]);
    expect(problemsOf(objective, { click: 0 })).toEqual([
      ": must give `click` or `purchase` a worth above 0",
    ]);
    expect(problemsOf(objective, { click: 1, margin: "margin" })).toEqual([
      "margin: multiplies the worth of a purchase, so `purchase` must be above 0",
    ]);
    expect(problemsOf(objective, { view: 1, click: 1 })).toHaveLength(1);
  });
});
