import { describe, expect, it } from "vitest";
import { boost, pin } from "./rules.ts";

/** Returns the paths and messages of what a schema refuses; none for an input that it takes. */
const problemsOf = (schema: typeof boost | typeof pin, input: object): string[] =>
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
