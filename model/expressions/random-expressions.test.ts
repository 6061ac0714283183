import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ColumnValue } from "../../shared/contracts/column-value.ts";
import { decimalOf } from "../../shared/contracts/minor-units.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { discountMillionths, priceAfterDiscount } from "../../shared/money/discount.ts";
import type { Columns } from "../columns/columns.ts";
import type { ColumnsRow } from "../columns/columns-builder.ts";
import { blockOf, day, now } from "../features/testing.ts";
import { compileExpression } from "./compile-expression.ts";
import type { ExpressionContext } from "./context.ts";
import { evaluateNaively, type NaiveValue, type RandomExpression, sourceOf } from "./naive-evaluator.ts";
import { userListFields } from "./standard-fields.ts";

/** Random expressions that are compared. */
const expressionCount = process.env.VICINITY_LONG === "1" ? 10_000 : 600;

const categories = ["cafe", "bar", "café > ☕", "museum"];
const titles = ["Tea", "tea with milk", "Ünïcödé 🍵", "", "a"];
const currencies = ["EUR", "JPY", "KWD", null];
const pick = <T>(list: readonly T[], random: () => number): T => list[Math.floor(random() * list.length)];

/** Opening hours: on Monday from 0 to 1 o'clock, and always. */
const openingHours = { monday: "UTC 0-60", always: "UTC 0-10080" };

/** Returns random values of optional columns. */
const randomDetails = (random: () => number): ColumnValue[] => [
  { name: "brand", type: "string", value: pick(["Acme", "café > ☕"], random) },
  { name: "moreCategories", type: "list", value: pick([["bar"], ["café > tea", "museum > art"]], random) },
  { name: "saleFrom", type: "time", value: now + pick([-1, 1], random) * day },
  { name: "saleUntil", type: "time", value: now + 2 * day },
  { name: "openingHours", type: "string", value: pick(Object.values(openingHours), random) },
];

/** Returns random products with few different values, so that comparisons are often equal. */
function randomRows(count: number, seed: number): Partial<ColumnsRow>[] {
  let state = seed;
  // A linear congruential generator (Park and Miller, CACM 1988).
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return Array.from({ length: count }, (_, i) => ({
    productId: random() < 0.5 ? `p${i}` : `ü${i}`,
    title: pick(titles, random),
    category: pick(categories, random),
    lat: random() < 0.2 ? null : random() * 2,
    lon: random(),
    createdAt: now - Math.floor(random() * 4) * day,
    priceMinor: random() < 0.2 ? null : Math.floor(random() * 6) * 500,
    currency: pick(currencies, random),
    discount: pick([0, 0, 0.1, 0.333_333, 1], random),
    rating: random() < 0.2 ? null : pick([0, 3.7, 4.3, 10], random),
    available: random() < 0.7,
    groupId: pick([null, "g1", "g2", "café > ☕"], random),
    optional: random() < 0.3 ? [] : randomDetails(random),
  }));
}

const sizes = [50, 1300];
const worlds = sizes.map((size, i) => {
  const rows = randomRows(size, i + 7);
  return { rows, block: blockOf(rows) };
});

/** Returns the fields of a product as an expression sees them. */
function fieldsOf(row: Partial<ColumnsRow>, context: ExpressionContext): Record<string, NaiveValue> {
  const { currency = null, priceMinor = null, discount = 0, lat = null, lon = null } = row;
  const isCompared = priceMinor !== null && (currency === null || currency === context.currency);
  const { point, user } = context;
  const date = new Date((context.now + context.offsetSeconds) * 1000);
  const detail = (name: string): ColumnValue["value"] | undefined =>
    row.optional?.find((each) => each.name === name)?.value;
  const saleFrom = (detail("saleFrom") as number | undefined) ?? Number.NEGATIVE_INFINITY;
  const saleUntil = (detail("saleUntil") as number | undefined) ?? Number.POSITIVE_INFINITY;
  const holds = saleFrom <= context.now && context.now < saleUntil;
  const millionths = holds ? discountMillionths(discount) : 0;
  return {
    "product.id": row.productId ?? null,
    "product.title": row.title ?? null,
    "product.category": row.category ?? null,
    "product.categories": [row.category ?? "", ...((detail("moreCategories") as string[] | undefined) ?? [])],
    "product.brand": (detail("brand") as string | undefined) ?? null,
    "product.isOpen": detail("openingHours") !== openingHours.monday,
    "product.groupId": row.groupId ?? null,
    "product.price": isCompared ? decimalOf(priceAfterDiscount(priceMinor, millionths), currency) : null,
    "product.priceBeforeDiscount": isCompared ? decimalOf(priceMinor, currency) : null,
    "product.currency": currency,
    "product.discount": holds ? discount : 0,
    "product.rating": row.rating ?? null,
    "product.available": row.available ?? null,
    "product.createdAt": row.createdAt ?? null,
    distanceKm:
      point === null || lat === null || lon === null ? null : distanceKm(point.lat, point.lon, lat, lon),
    now: context.now,
    hour: date.getUTCHours(),
    weekday: ((date.getUTCDay() + 6) % 7) + 1,
    "user.choices": user?.choices ?? null,
    "user.favoriteCategory": user?.favoriteCategory ?? null,
    "user.activeDays": user?.activeDays ?? null,
    "user.since": user?.since ?? null,
  };
}

const literal = (value: number | string | boolean): RandomExpression => ({
  kind: "literal",
  source: JSON.stringify(value),
  value,
});
const field = (...names: string[]) =>
  fc.constantFrom(...names).map((name): RandomExpression => ({ kind: "field", name }));
const numberValue = fc.constantFrom(0, 1, 2, 3.7, 4.3, 5, 0.1, 10, 12, 13.5, 20, 100);
const stringValue = fc.constantFrom(...categories, ...titles, "g1", "EUR", "p1", "ea", "é", "café");
const timeValue = fc
  .constantFrom(now, now - day, now - 2 * day)
  .map((value) => ({ source: `timestamp("${new Date(value * 1000).toISOString()}")`, value }));
const durationValue = fc.constantFrom(["1d", day], ["1h30m", 5400], ["0s", 0], ["-2d", -2 * day]);

const { boolean } = fc.letrec<
  Record<"boolean" | "number" | "string" | "time" | "duration", RandomExpression>
>((tie) => {
  const choose = (value: fc.Arbitrary<RandomExpression>) =>
    fc
      .record({ condition: tie("boolean"), ifTrue: value, ifFalse: value })
      .map((parts): RandomExpression => ({ kind: "choose", ...parts }));
  const binary = (operators: readonly string[], left: fc.Arbitrary<RandomExpression>, right = left) =>
    fc
      .record({ operator: fc.constantFrom(...operators), left, right })
      .map((parts): RandomExpression => ({ kind: "binary", ...parts }));
  const unary = (operator: "!" | "-", operand: fc.Arbitrary<RandomExpression>) =>
    operand.map((of): RandomExpression => ({ kind: "unary", operator, operand: of }));
  const comparison = ["<", "<=", ">", ">=", "==", "!="];
  const fixedString = fc.oneof(stringValue.map(literal), field("user.favoriteCategory"));
  const inValues = (
    operand: fc.Arbitrary<RandomExpression>,
    value: fc.Arbitrary<{ source: string; value: NaiveValue }>,
  ) =>
    fc
      .record({ operand, values: fc.array(value, { maxLength: 4 }) })
      .map((parts): RandomExpression => ({ kind: "inValues", ...parts }));
  const written = <T extends number | string>(value: T) => ({ source: JSON.stringify(value), value });
  const allFields = [...userListFields.keys()];
  return {
    number: fc.oneof(
      { maxDepth: 4 },
      numberValue.map(literal),
      field(
        "product.price",
        "product.priceBeforeDiscount",
        "product.discount",
        "product.rating",
        "distanceKm",
        "hour",
        "weekday",
        "user.choices",
        "user.activeDays",
      ),
      binary(["+", "-", "*", "/", "%"], tie("number")),
      binary(["/"], tie("duration")),
      unary("-", tie("number")),
      choose(tie("number")),
    ),
    string: fc.oneof(
      stringValue.map(literal),
      field("product.id", "product.title", "product.category", "product.groupId", "product.currency"),
      field("user.favoriteCategory", "product.brand"),
    ),
    time: fc.oneof(
      { maxDepth: 3 },
      field("now", "product.createdAt", "user.since"),
      timeValue.map((parts): RandomExpression => ({ kind: "literal", ...parts })),
      binary(["+", "-"], tie("time"), tie("duration")),
      choose(tie("time")),
    ),
    duration: fc.oneof(
      { maxDepth: 3 },
      durationValue.map(
        ([source, value]): RandomExpression => ({
          kind: "literal",
          source: `duration("${source}")`,
          value,
        }),
      ),
      binary(["-"], tie("time")),
      binary(["+", "-"], tie("duration")),
      binary(["*", "/"], tie("duration"), tie("number")),
    ),
    boolean: fc.oneof(
      { maxDepth: 5 },
      fc.boolean().map(literal),
      field("product.available", "product.isOpen"),
      binary(comparison, tie("number")),
      binary(comparison, tie("time")),
      binary(comparison, tie("duration")),
      binary(["==", "!="], tie("string")),
      binary(["==", "!="], tie("boolean")),
      binary(["&&", "||"], tie("boolean")),
      binary(["&&", "||"], tie("boolean")),
      unary("!", tie("boolean")),
      choose(tie("boolean")),
      inValues(tie("number"), numberValue.map(written)),
      inValues(tie("string"), stringValue.map(written)),
      inValues(tie("time"), timeValue),
      fixedString.map((item): RandomExpression => ({ kind: "inField", item, name: "product.categories" })),
      fc
        .record({
          name: fc.constantFrom("startsWith" as const, "endsWith" as const, "contains" as const),
          operand: tie("string"),
          part: fixedString,
        })
        .map((parts): RandomExpression => ({ kind: "method", ...parts })),
      fc.constantFrom(...allFields).map((name): RandomExpression => ({ kind: "has", name })),
    ),
  };
});

const context: fc.Arbitrary<ExpressionContext> = fc.record({
  currency: fc.constantFrom(...currencies),
  point: fc.constantFrom(null, { lat: 1, lon: 0.5 }),
  now: fc.constantFrom(now, now + 3 * day + 7200),
  offsetSeconds: fc.constantFrom(0, 3600, -18_000),
  user: fc.constantFrom(
    null,
    { choices: 0, favoriteCategory: null, activeDays: 0, since: null },
    { choices: 5, favoriteCategory: "cafe", activeDays: 2, since: now - 2 * day },
  ),
});

/** Returns the cells that a price, discount, distance or category excludes, as a test of a product's values. */
function isWithinBounds(
  fields: Record<string, NaiveValue>,
  { price, minDiscount, maxDistanceKm, categories: named }: ReturnType<typeof bindOf>["bounds"],
): boolean {
  const within = (value: NaiveValue, min: number, max: number): boolean =>
    typeof value === "number" && value >= min && value <= max;
  if (price && !within(fields["product.price"], price.min, price.max)) return false;
  if (minDiscount !== undefined && !within(fields["product.discount"], minDiscount, 1)) return false;
  if (maxDistanceKm !== undefined && !within(fields.distanceKm, 0, maxDistanceKm)) return false;
  const own = fields["product.categories"] as string[];
  return (
    named === undefined ||
    own.some((each) => named.has(each) || [...named].some((wanted) => each.startsWith(`${wanted} > `)))
  );
}

function bindOf(source: string, of: ExpressionContext) {
  const compiled = compileExpression(source, userListFields);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.error.reason}`);
  return compiled.expression.bind(of);
}

/** Returns the rows of a block that pass one by one. */
const testedRows = (block: Columns, test: (columns: Columns, row: number) => boolean): number[] =>
  Array.from({ length: block.count }, (_, row) => (test(block, row) ? 1 : 0));

describe("compileExpression, against an evaluator that walks the tree of each product", () => {
  it(`gives the same for ${expressionCount} random expressions`, () => {
    let passing = 0;
    let rows = 0;
    fc.assert(
      fc.property(boolean, context, fc.constantFrom(0, 0, 0, 1), (tree, at, world) => {
        const source = sourceOf(tree);
        fc.pre(source.length <= 4000);
        const compiled = compileExpression(source, userListFields);
        // The only reason to refuse a well-typed expression is its size.
        if (!compiled.ok) {
          expect(compiled.error.reason).toMatch(/has more than/);
          return;
        }
        const bound = compiled.expression.bind(at);
        const { rows: products, block } = worlds[world];
        const fields = products.map((each) => fieldsOf(each, at));
        const expected = fields.map((each) => (evaluateNaively(tree, each) === true ? 1 : 0));
        expect(testedRows(block, bound.test)).toEqual(expected);
        for (const [row, passes] of expected.entries()) {
          rows++;
          passing += passes;
          if (passes === 1) expect(isWithinBounds(fields[row], bound.bounds), `row ${row}`).toBe(true);
        }
      }),
      { numRuns: expressionCount, seed: 19 },
    );
    // The comparison says little if nearly all products pass, or none does.
    expect(passing / rows).toBeGreaterThan(0.2);
    expect(passing / rows).toBeLessThan(0.8);
  });
});
