import fc from "fast-check";
import { categoryOf, groupIdOf } from "../columns/columns.ts";
import { attributeColumn } from "../columns/optional-columns.ts";
import { optionalList, optionalString } from "../columns/optional-values.ts";
import { blockOf } from "../features/testing.ts";
import type { RankedRow } from "./ranked-row.ts";
import type { RuleContext, Rules } from "./rule.ts";

/** A product of a random ranking. */
export interface RankedProduct {
  score: number;
  /** Index of the category. */
  category: number;
  /** Index of the group of variants; null for none. */
  group: number | null;
  /** Index of the brand; null for none. */
  brand: number | null;
  /** Indices of the values of the declared list `colors`. */
  colors: readonly number[];
}

/** What rules of {@link anyRules} know besides the products. */
export const ruleContext: RuleContext = {
  now: 0,
  expressions: { now: 0, offsetSeconds: 0, point: null, user: null, attributes: { colors: "list" } },
};

/** Random products: few scores, so that ties are common, few categories and few groups. */
export const rankedProducts = (maxLength: number): fc.Arbitrary<RankedProduct[]> =>
  fc.array(
    fc.record({
      score: fc.oneof(
        fc.constantFrom(0, 0.25, 0.5, 1),
        fc.double({ min: 0, max: 1, noNaN: true, noDefaultInfinity: true }),
      ),
      category: fc.nat(4),
      group: fc.option(fc.nat(5)),
      brand: fc.option(fc.nat(3)),
      colors: fc.subarray([0, 1, 2, 3], { maxLength: 2 }),
    }),
    { maxLength },
  );

/** Returns ranked rows of the products `p0`, `p1`, ... */
export function rankedRows(products: readonly Partial<RankedProduct>[]): RankedRow[] {
  const block = blockOf(
    products.map(({ category = 0, group = null, brand = null, colors = [] }) => ({
      category: `category ${category}`,
      groupId: group === null ? null : `group ${group}`,
      optional: [
        ...(brand === null ? [] : [{ name: "brand", type: "string" as const, value: `brand ${brand}` }]),
        ...(colors.length === 0
          ? []
          : [
              {
                name: attributeColumn("colors"),
                type: "list" as const,
                value: colors.map((color) => `color ${color}`),
              },
            ]),
      ],
    })),
  );
  return products.map(({ score = 0 }, row) => ({ block, row, score }));
}

/** Returns the ids of rows. */
export const idsOf = (rows: readonly RankedRow[]): string[] => rows.map(({ block, row }) => block.id(row));

/** Returns the groups of a row by a property, as its columns name them. */
export function groupsOf({ block, row }: RankedRow, by: string): string[] {
  const all: Record<string, (string | null)[]> = {
    category: [categoryOf(block, row)],
    group: [groupIdOf(block, row)],
    brand: [optionalString(block, "brand", row)],
    "attributes.colors": optionalList(block, attributeColumn("colors"), row),
  };
  return all[by].filter((group) => group !== null);
}

/** Returns how many rows each group of a property has at most. */
export function largestGroup(rows: readonly RankedRow[], by: string): number {
  const counts = new Map<string, number>();
  for (const row of rows)
    for (const group of groupsOf(row, by)) counts.set(group, (counts.get(group) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

/** Random conditions on products of {@link rankedProducts}. */
export const anyCondition: fc.Arbitrary<string> = fc.oneof(
  fc.nat(4).map((i) => `product.category == "category ${i}"`),
  fc.nat(3).map((i) => `product.brand == "brand ${i}"`),
  fc.nat(3).map((i) => `"color ${i}" in product.attributes.colors`),
);

/** Random rules of every kind, for products of {@link rankedProducts}. */
export const anyRules: fc.Arbitrary<Rules> = fc.record(
  {
    limit: fc.integer({ min: 1, max: 20 }),
    boost: fc.dictionary(
      fc.nat(4).map((i) => `category ${i}`),
      fc.constantFrom(0, 0.5, 2),
      { maxKeys: 3 },
    ),
    boosts: fc.array(
      fc.oneof(
        fc.record({ when: anyCondition, multiply: fc.constantFrom(0.5, 1, 3) }),
        fc.record({ when: anyCondition, add: fc.constantFrom(-0.5, 0.25) }),
      ),
      { maxLength: 3 },
    ),
    pins: fc.array(
      fc.oneof(
        fc.record({ productId: fc.nat(40).map((i) => `p${i}`), position: fc.integer({ min: 1, max: 12 }) }),
        fc.record({ when: anyCondition, position: fc.integer({ min: 1, max: 12 }) }),
      ),
      { maxLength: 4 },
    ),
    diversity: fc.constantFrom(0, 0.3, 1),
    perCategory: fc.integer({ min: 1, max: 5 }),
    perGroup: fc.integer({ min: 1, max: 3 }),
    perBrand: fc.integer({ min: 1, max: 3 }),
    perAttribute: fc.record({ colors: fc.integer({ min: 1, max: 3 }) }),
    collapse: fc.subarray(["group", "category", "brand", "attributes.colors"]),
  },
  { requiredKeys: ["limit"] },
);
