import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxExpressionLength } from "../../shared/contracts/expression.ts";
import type { ColumnsRow } from "../columns/columns-builder.ts";
import { blockOf, day, hour, north, now, origin } from "../features/testing.ts";
import { compileExpression } from "./compile-expression.ts";
import type { ExpressionContext } from "./context.ts";
import { type ExpressionError, expressionErrorText } from "./expression-error.ts";
import { maxExpressionDepth, maxExpressionNodes } from "./parse-expression.ts";
import { listFields, userListFields } from "./standard-fields.ts";

const context: ExpressionContext = {
  currency: "EUR",
  point: origin,
  now,
  offsetSeconds: 0,
  user: { choices: 5, favoriteCategory: "cafe", activeDays: 2, since: now - 30 * day },
};

/** Returns the ids of the products that pass an expression. */
function passing(
  source: string,
  rows: readonly Partial<ColumnsRow>[],
  of: ExpressionContext = context,
): string[] {
  const compiled = compileExpression(source, userListFields);
  if (!compiled.ok) throw new Error(expressionErrorText(compiled.error));
  const block = blockOf(rows);
  const { test } = compiled.expression.bind(of);
  return rows.flatMap((_, row) => (test(block, row) ? [block.id(row)] : []));
}

/** Returns the error of an expression. */
function errorOf(source: string, fields = userListFields): ExpressionError {
  const compiled = compileExpression(source, fields);
  if (compiled.ok) throw new Error(`${source} compiles`);
  return compiled.error;
}

const boundsOf = (source: string) => {
  const compiled = compileExpression(source, userListFields);
  if (!compiled.ok) throw new Error(expressionErrorText(compiled.error));
  return compiled.expression.bind(context).bounds;
};

describe("compileExpression", () => {
  it("compares the price after discount, in the currency of the context", () => {
    const rows = [
      { priceMinor: 1995, currency: "EUR" },
      { priceMinor: 3990, currency: "EUR", discount: 0.5 },
      { priceMinor: 1995, currency: "JPY" },
      { priceMinor: 1995, currency: null },
      { priceMinor: null, currency: "EUR" },
    ];
    expect(passing("product.price == 19.95", rows)).toEqual(["p0", "p1", "p3"]);
    expect(passing("product.priceBeforeDiscount > 20", rows)).toEqual(["p1"]);
    expect(passing("product.price == 1995", rows, { ...context, currency: "JPY" })).toEqual(["p2"]);
    expect(passing("product.price == 19.95", rows, { ...context, currency: null })).toEqual(["p3"]);
    expect(() => passing("product.price == 1", rows, { ...context, currency: undefined })).toThrow(
      "currency",
    );
  });

  it.each([
    ["product.price < 5", []],
    ["product.price >= 0", []],
    ["product.price == 5", []],
    ["product.price != 5", []],
    ["product.price in [5]", []],
    ["product.price + 1 > 0", []],
    ["-product.price < 5", []],
    ["product.rating > 0", []],
    ["product.groupId == 'g'", []],
    ["product.groupId != 'g'", []],
    ["product.groupId.contains('')", []],
    ["distanceKm < 100", []],
    ["has(product.price)", []],
    ["!(product.price < 5)", ["p0"]],
    ["!has(product.groupId)", ["p0"]],
    ["product.price / 0 > 1 || 1 / 0 > 1", []],
  ])("compares an absent value as false: %s", (source, expected) => {
    expect(passing(source, [{}])).toEqual(expected);
  });

  it.each([
    ['"cafe" in product.categories', ["p0"]],
    ['product.category in ["bar", "cafe"]', ["p0", "p1"]],
    ['product.category != "bar"', ["p0", "p2"]],
    ["product.title.contains('ê')", ["p1"]],
    ['product.title.startsWith("Crê") && product.title.endsWith("e 🍵")', ["p1"]],
    ['product.title == "Tea"', ["p0"]],
    ["product.category == user.favoriteCategory", ["p0"]],
    ["user.favoriteCategory in product.categories", ["p0"]],
    ["distanceKm <= 3.0", ["p0", "p1"]],
    ["product.available && product.rating >= 4.3", ["p1"]],
    ["product.rating == 4.3", ["p1"]],
    ["(product.available ? product.rating : 10.0) > 5.0", ["p2"]],
    ['now - product.createdAt < duration("7d")', ["p0"]],
    ['product.createdAt == timestamp("2025-01-01T12:00:00Z")', ["p1"]],
    ["product.id in ['p2']", ["p2"]],
    ["product.discount >= 0.7", ["p2"]],
    ["product.available == false", ["p2"]],
    ["hour == 12 && weekday == 3", ["p0", "p1", "p2"]],
    ["product.groupId == product.category", ["p2"]],
    ["true // a remark", ["p0", "p1", "p2"]],
  ])("evaluates %s", (source, expected) => {
    const rows = [
      { title: "Tea", category: "cafe", ...north(1), rating: 3, createdAt: now - day },
      { title: "Crêpe 🍵", category: "bar", ...north(3), rating: 4.3, createdAt: now - 14 * day },
      {
        ...{ title: "x", category: "zoo", groupId: "zoo", ...north(9), rating: 1, createdAt: now - 9 * day },
        ...{ available: false, discount: 0.7 },
      },
    ];
    expect(passing(source, rows)).toEqual(expected);
  });

  it("counts hours and weekdays on the clocks of the list's location", () => {
    const at = { ...context, now: now + 13 * hour, offsetSeconds: -3 * hour };
    expect(passing("hour == 22 && weekday == 3", [{}], at)).toEqual(["p0"]);
  });

  it("evaluates a block of several chunks once", () => {
    const rows = Array.from({ length: 2500 }, (_, i) => ({ rating: i % 10 }));
    const compiled = compileExpression("product.rating == 3.0", listFields);
    if (!compiled.ok) throw new Error(compiled.error.reason);
    const bound = compiled.expression.bind(context);
    const block = blockOf(rows);
    const result = bound.rowsThatPass(block);
    expect(result.length).toBe(2500);
    expect(result.every((passes, row) => passes === (row % 10 === 3 ? 1 : 0))).toBe(true);
    expect(bound.rowsThatPass(block)).toBe(result);
  });

  it("reads every rating as the decimal that was stored", () => {
    const ratings = [0, 0.01, 0.05, 0.123_456_7, 0.3, 0.99, 1, 5.432_109, 4.3, 9.999_999, 10].concat(
      Array.from({ length: 1000 }, (_, i) => i / 100),
    );
    const rows = ratings.map((rating) => ({ rating }));
    for (const [row, rating] of ratings.slice(0, 60).entries())
      expect(passing(`product.rating == ${rating}`, rows), `${rating}`).toContain(`p${row}`);
    for (const { rating } of rows.slice(60).filter((_, i) => i % 25 === 0))
      expect(passing(`product.rating == ${rating}`, rows).length, `${rating}`).toBeGreaterThan(0);
  });

  it("says which fields an expression reads", () => {
    const compiled = compileExpression("product.price < 5 && has(product.groupId) && hour > 1", listFields);
    if (!compiled.ok) throw new Error(compiled.error.reason);
    expect([...compiled.expression.fields]).toEqual(["product.price", "product.groupId", "hour"]);
    expect(compiled.expression.readsMoney).toBe(true);
  });
});

describe("the error of an expression", () => {
  it.each<[string, Partial<ExpressionError>]>([
    ["product.prise < 5", { line: 1, column: 1, length: 13, nearest: "product.price" }],
    ["true &&\n  price < 5", { line: 2, column: 3, length: 5, nearest: "product.price" }],
    ["product.isFree", { reason: "`product.isFree` is not a known field" }],
    ["distance < 3", { nearest: "distanceKm" }],
    ["product", { reason: "`product` has no value of its own; name one of its fields" }],
    ["product.price", { reason: "`product.price` is a number; write a condition, such as a comparison" }],
    ["product.price = 5", { column: 15, length: 1, reason: "`=` is no operator; write `==`" }],
    ["true and false", { column: 6, length: 3, reason: "`and` is no operator; write `&&`" }],
    ["", { line: 1, column: 1, length: 0, reason: "ends where a value is expected" }],
    ["1 <", { column: 4, length: 0, reason: "ends where a value is expected" }],
    [
      'product.price < "5"',
      {
        reason: '`product.price` is a number, and `"5"` is a string; only values of one type can be compared',
      },
    ],
    ["product.title < 'x'", { reason: "a string can be compared with `==` and `!=` only" }],
    ["product.title.matches('a*')", { column: 1 }],
    ["product.title.startWith('a')", { nearest: "startsWith" }],
    ["product.price == null", { column: 18, length: 4 }],
    ["product.categories == 'a'", { reason: "a list cannot be compared with `==`; write `value in list`" }],
    ["product.category in product.categories", { column: 1 }],
    ["hour in ['a']", { column: 10, length: 3 }],
    ["duration('7 days') > duration('1d')", { column: 10, length: 8 }],
    ["timestamp('yesterday') < now", { column: 11, length: 11 }],
    ["product.price + now > 1", { column: 1, length: 19 }],
    ["!product.price", { column: 2, length: 13 }],
    ["product.categories.exists(c, c == 'a')", { column: 1 }],
    ["{'a': 1}", { column: 1, length: 8 }],
    ["b'a' == b'a'", { column: 1 }],
    ["5u < 6u", { column: 1, length: 2 }],
    ["9007199254740993 > 1", { column: 1, length: 16 }],
    ["1e999 > 1.0", { column: 1 }],
    ["'\\ud800' == ''", { line: 1 }],
    ["'\ud800' == ''", { reason: "must be well-formed Unicode" }],
  ])("names the position, the reason and the nearest name: %s", (source, expected) => {
    expect(errorOf(source)).toMatchObject(expected);
  });

  it("does not know the user in a list that is the same for every user", () => {
    expect(errorOf("user.choices > 1", listFields).reason).toBe("`user.choices` is not a known field");
  });

  it.each<[string, string]>([
    ["parentheses", `${"(".repeat(2000)}true${")".repeat(2000)}`],
    ["lists", "[".repeat(2000) + "]".repeat(2000)],
    ["negations", `${"!".repeat(4000)}true`],
    ["minus signs", `1 < ${"-".repeat(4000)}1`],
    ["calls", `${"f(".repeat(2000)}1`],
    ["conditionals", `${"a?b:".repeat(1000)}c`],
    ["conjunctions", Array(1000).fill("hour>1").join("&&")],
    ["an index after another", `a${"[1]".repeat(1300)}`],
    ["too long a text", `"${"x".repeat(100_000)}" == ''`],
    ["a list of too many values", `hour in [${Array(1500).fill(1).join(",")}]`],
  ])("refuses %s without bounds", (_, source) => {
    expect(errorOf(source).reason).toMatch(/has more than|must have at most/);
  });

  it("allows as much as it says", () => {
    const nested = maxExpressionDepth - 1;
    const values = Array(maxExpressionNodes - 5).fill(1);
    const padding = " ".repeat(maxExpressionLength - "true".length);
    for (const source of [
      `${"(".repeat(nested)}true${")".repeat(nested)}`,
      `hour in [${values.join(",")}]`,
      `true${padding}`,
      `${"!".repeat(maxExpressionNodes - 1)}true`,
    ])
      expect(compileExpression(source, listFields).ok, source.slice(0, 20)).toBe(true);
  });

  it("never throws, whatever the source is", () => {
    const words = fc.constantFrom(
      ...[
        "product",
        ".",
        "price",
        "(",
        ")",
        "[",
        "]",
        "&&",
        "||",
        "!",
        "-",
        "1",
        "1.5",
        "'a'",
        "in",
        "?",
        ":",
      ],
      ...[
        "has",
        "now",
        "==",
        "<",
        "+",
        "duration",
        "exists",
        ",",
        "null",
        "user.choices",
        "{",
        "}",
        '"',
        "\\",
      ],
    );
    const source = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(words, { maxLength: 25 }).map((w) => w.join(" ")),
    );
    fc.assert(
      fc.property(source, (text) => {
        const compiled = compileExpression(text, userListFields);
        if (compiled.ok) compiled.expression.bind(context).rowsThatPass(blockOf([{}]));
        else {
          const { line, column, length } = compiled.error;
          expect(line).toBeGreaterThan(0);
          expect(column).toBeGreaterThan(0);
          const lines = text.split("\n");
          const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0) + column - 1;
          expect(start + length).toBeLessThanOrEqual(text.length);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("the bounds of an expression", () => {
  it.each([
    ["product.price <= 20", { price: { min: Number.NEGATIVE_INFINITY, max: 20 } }],
    ["5 < product.price && 20.0 > product.price", { price: { min: 5, max: 20 } }],
    ["product.price == 5 || product.price in [7, 9]", { price: { min: 5, max: 9 } }],
    ["product.price < 5 || product.rating > 4", {}],
    ["!(product.price < 5)", {}],
    ["product.discount >= 0.5 && hour > 1", { minDiscount: 0.5 }],
    ["distanceKm < 3 && distanceKm < 2", { maxDistanceKm: 2 }],
    ['product.category == "cafe"', { categories: new Set(["cafe"]) }],
    ['"cafe" in product.categories || product.category in ["bar"]', { categories: new Set(["cafe", "bar"]) }],
    ["product.category == user.favoriteCategory", { categories: new Set(["cafe"]) }],
  ])("follow from the conditions that hold for every product: %s", (source, expected) => {
    expect(boundsOf(source)).toEqual(expected);
  });
});
