import { describe, expect, it } from "vitest";
import type { ProductFilter } from "../../shared/contracts/location.ts";
import { listFields } from "../expressions/standard-fields.ts";
import { now } from "../features/testing.ts";
import { answerFilterOf, checkFilter, decideFilter, decideRuleScope } from "./decide-filter.ts";

const moment = { now, point: { lat: 59.9, lon: 10.7 }, user: null, attributes: {} };
const scope = { now, offsetSeconds: 3600, user: null };
const inOslo = async () => "NOK";
const notAsked = async (): Promise<string> => {
  throw new Error("the currency of the place is not needed");
};

describe("decideFilter", () => {
  it("leaves a filter without prices and without an expression as it is", async () => {
    const filter = { categories: ["cafe"], radiusKm: 3 };
    expect(await decideFilter(filter, moment, notAsked)).toEqual(filter);
  });

  it("decides the currency of price bounds, unless it is named", async () => {
    expect(await decideFilter({ priceMax: 5 }, moment, inOslo)).toEqual({ priceMax: 5, currency: "NOK" });
    const named = { priceMax: 5, currency: "EUR" };
    expect(await decideFilter(named, moment, notAsked)).toEqual(named);
  });

  it("decides what an expression may know, with a currency only if it compares prices", async () => {
    const expression = "hour > 3";
    expect(await decideFilter({ expression }, moment, notAsked)).toEqual({
      expression,
      expressionScope: scope,
    });
    const withPrice = { expression: "product.price < 5.0" };
    const decided = await decideFilter(withPrice, moment, inOslo);
    expect(decided).toEqual({ ...withPrice, expressionScope: { ...scope, currency: "NOK" } });
    expect(answerFilterOf(decided)).toEqual({ filter: { currency: "NOK" } });
    expect(answerFilterOf(await decideFilter({ expression }, moment, notAsked))).toEqual({});
  });

  it("takes the named currency for the expression too", async () => {
    const decided = await decideFilter(
      { expression: "product.price < 5.0", currency: "EUR" },
      moment,
      notAsked,
    );
    expect(decided).toMatchObject({ currency: "EUR", expressionScope: { currency: "EUR" } });
  });

  it("answers null if no place and no product names a currency", async () => {
    const decided = await decideFilter({ expression: "product.price < 5.0" }, moment, async () => null);
    expect(answerFilterOf(decided)).toEqual({ filter: { currency: null } });
  });
});

describe("decideRuleScope", () => {
  const comparing = ["product.price < 5.0"];

  it("takes the currency of the filter, else asks for that of the place if a condition compares prices", async () => {
    const scope = async (filter: ProductFilter, conditions = comparing, currencyOfPlace = inOslo) => {
      const decided = await decideFilter(filter, moment, inOslo);
      return (await decideRuleScope(conditions, decided, moment, currencyOfPlace)).currency;
    };
    expect(await scope({ currency: "EUR" }, comparing, notAsked)).toBe("EUR");
    expect(await scope({ priceMax: 5 }, comparing, notAsked)).toBe("NOK");
    expect(await scope({})).toBe("NOK");
    expect(await scope({}, ["product.isOpen"], notAsked)).toBeUndefined();
  });

  it("says which currency the conditions compare", async () => {
    const ruleScope = await decideRuleScope(comparing, {}, moment, inOslo);
    expect(answerFilterOf({}, ruleScope)).toEqual({ filter: { currency: "NOK" } });
    expect(answerFilterOf({ currency: "EUR" }, ruleScope)).toEqual({ filter: { currency: "EUR" } });
  });
});

describe("checkFilter", () => {
  it("refuses a wrong expression with its position, reason and the nearest name", () => {
    expect(checkFilter({ expression: "true &&\n product.prise < 1" }, listFields, "expression", {})).toEqual({
      ok: false,
      error: {
        code: "invalid_input",
        detail: expect.stringContaining("expression"),
        issues: [
          {
            path: "expression",
            message:
              "line 2, column 2: `product.prise` is not a known field; the nearest known name is `product.price`",
            position: { line: 2, column: 2, length: 13 },
            nearest: "product.price",
          },
        ],
      },
    });
  });

  it("accepts a filter with a right expression, and one without", () => {
    expect(checkFilter({ expression: "product.price < 1" }, listFields, "expression", {}).ok).toBe(true);
    expect(checkFilter({}, listFields, "expression", {}).ok).toBe(true);
  });

  it("knows declared attributes, and no others", () => {
    const filter = { expression: "product.attributes.vegan" };
    expect(checkFilter(filter, listFields, "expression", { vegan: "boolean" }).ok).toBe(true);
    expect(checkFilter(filter, listFields, "expression", { vegans: "boolean" })).toMatchObject({
      error: { issues: [{ nearest: "product.attributes.vegans" }] },
    });
  });
});
