import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { blockOf, day, north, now, origin } from "../features/testing.ts";
import { checkFilter } from "../retrieval/decide-filter.ts";
import { compileExpression } from "./compile-expression.ts";
import { listFields, userListFields } from "./standard-fields.ts";

const guide = readFileSync(join(import.meta.dirname, "../../docs/guides/expressions.md"), "utf8");

/** Returns the rows of the table with these heads, each as its cells. */
function tableOf(...heads: string[]): string[][] {
  const cellsOf = (line: string): string[] =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("\\|", "|"));
  const lines = guide.split("\n");
  const start = lines.findIndex((line) => cellsOf(line).join() === heads.join());
  if (start < 0) throw new Error(`the guide has no table of ${heads.join(", ")}`);
  const end = lines.findIndex((line, i) => i > start && !line.startsWith("|"));
  return lines.slice(start + 2, end).map(cellsOf);
}

/** Returns the text of a cell that is one piece of code. */
const codeIn = (cell: string): string => /^`(.*)`$/.exec(cell)?.[1] ?? "";

/** A cafe nearby, a bar with a discount, a shop of teas, and a product without most values. */
const products = [
  {
    ...{
      productId: "latte",
      title: "Latte",
      category: "cafe",
      priceMinor: 450,
      currency: "EUR",
      rating: 4.6,
    },
    ...{ createdAt: now - 2 * day, groupId: "x", ...north(1) },
    optional: [
      { name: "brand", type: "string" as const, value: "Acme" },
      { name: "openingHours", type: "string" as const, value: "UTC 0-10080" },
    ],
  },
  {
    ...{ productId: "beer", title: "Beer", category: "bar", priceMinor: 1000, currency: "EUR", rating: 4 },
    ...{ createdAt: now - 30 * day, discount: 0.25, ...north(2) },
    optional: [
      { name: "brand", type: "string" as const, value: "Acme" },
      { name: "openingHours", type: "string" as const, value: "UTC 0-60" },
    ],
  },
  {
    ...{ productId: "tea", title: "Green tea", category: "tea shop", priceMinor: 2500, currency: "EUR" },
    ...{ createdAt: Date.UTC(2026, 1, 1) / 1000, rating: 3, ...north(8) },
  },
  { productId: "bare", title: "Bare", category: "museum", createdAt: now - 90 * day },
];
const block = blockOf(products);
/** Wednesday, noon. */
const context = {
  ...{ currency: "EUR", point: origin, now, offsetSeconds: 0 },
  user: { choices: 3, favoriteCategory: "cafe", activeDays: 2, since: now - 9 * day },
};

/** Returns the ids of the products that pass an expression. */
function passing(source: string): string[] {
  const compiled = compileExpression(source, userListFields);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.error.reason}`);
  const { test } = compiled.expression.bind(context);
  return products.flatMap(({ productId }, row) => (test(block, row) ? [productId] : []));
}

const all = products.map(({ productId }) => productId);
/** What each example of the guide finds among {@link products}. */
const found: Record<string, string[]> = {
  "product.price >= 5.0 && product.price < 10.0": ["beer"],
  'product.category == "cafe"': ["latte"],
  'product.category in ["cafe", "bar"]': ["latte", "beer"],
  '"cafe" in product.categories': ["latte"],
  '!(product.category == "bar")': ["latte", "tea", "bare"],
  "product.discount > 0.0 || product.rating >= 4.5": ["latte", "beer"],
  'product.title.contains("tea")': ["tea"],
  "has(product.rating)": ["latte", "beer", "tea"],
  'product.isOpen && product.brand == "Acme"': ["latte"],
  'now - product.createdAt < duration("7d")': ["latte", "tea"],
  'product.createdAt >= timestamp("2026-01-31T12:00:00Z")': ["tea"],
  "(hour < 12 ? product.price : product.price * 0.8) <= 4.0": ["latte"],
  "weekday <= 5 && hour >= 9 && hour < 17": all,
  "product.category == user.favoriteCategory": ["latte"],
};

describe("docs/guides/expressions.md", () => {
  it("lists all fields", () => {
    const types = {
      ...{
        number: "number",
        string: "string",
        boolean: "true or false",
        time: "time",
        list: "list of strings",
      },
    };
    expect(tableOf("field", "type", "what it is")).toEqual(
      [...userListFields].map(([name, { type, description }]) => [
        ...[`\`${name}\``, types[type], description.replace(/\.$/, "")],
      ]),
    );
  });

  it.each(tableOf("expression", "is true for a product"))("shows what %s finds", (cell) => {
    const source = codeIn(cell);
    expect(found).toHaveProperty([source]);
    expect(passing(source)).toEqual(found[source]);
  });

  it.each(tableOf("expression", "product without a group"))(
    "says that %s is %s without a group",
    (cell, result) => {
      expect(passing(codeIn(cell)).includes("bare")).toBe(result === "true");
    },
  );

  it("has an example of a filter that finds products", () => {
    const [, body] = /```json\n(\{ "userId".*\})\n```/.exec(guide) ?? [];
    expect(passing(JSON.parse(body).filter.expression)).toEqual(["latte", "beer"]);
  });

  it("shows the error of a wrong name as the API answers it", () => {
    const [, shown] = /```json\n(\{\n {2}"path"[\s\S]*?\n\})\n```/.exec(guide) ?? [];
    const checked = checkFilter(
      { expression: "product.prise < 5.0" },
      userListFields,
      "filter.expression",
      {},
    );
    expect(checked).toMatchObject({ ok: false, error: { issues: [JSON.parse(shown)] } });
  });

  it.each(tableOf("expression", "reason"))("says why %s is refused", (cell, reason) => {
    const compiled = compileExpression(codeIn(cell), listFields);
    expect(compiled).toMatchObject({ ok: false, error: { reason } });
  });
});
