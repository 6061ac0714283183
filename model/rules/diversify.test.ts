import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockOf } from "../features/testing.ts";
import { diversify } from "./diversify.ts";
import type { RankedRow } from "./ranked-row.ts";
import { SelectedProducts, similarityOf, similarityValues, traitsOf } from "./similarity.ts";

/** A product: its score, the index of its category, and its place in hundredths of a degree; null for no place. */
const product = fc.record({
  // Few values, so that ties are common.
  score: fc.oneof(
    fc.constantFrom(0, 0.25, 0.5, 1),
    fc.double({ min: 0, max: 1, noNaN: true, noDefaultInfinity: true }),
  ),
  category: fc.nat(3),
  place: fc.option(fc.tuple(fc.nat(8), fc.nat(8)), { freq: 8 }),
});
type Product = typeof product extends fc.Arbitrary<infer P> ? P : never;

function poolOf(products: readonly Product[]): RankedRow[] {
  const block = blockOf(
    products.map(({ category, place }) => ({
      category: `category ${category}`,
      lat: place ? 59 + place[0] / 500 : null,
      lon: place ? 10 + place[1] / 300 : null,
    })),
  );
  return products
    .map(({ score }, row) => ({ block, row, score }))
    .sort((a, b) => b.score - a.score || a.row - b.row);
}

/** Selects by the definition: compares each product that is left with each one selected before. */
function byDefinition(
  pool: readonly RankedRow[],
  limit: number,
  diversity: number,
  add: (each: RankedRow) => boolean,
): void {
  const left = [...pool];
  const selected: RankedRow[] = [];
  while (selected.length < limit && left.length > 0) {
    const values = left.map((each) => {
      const similarities = selected.map((other) => similarityOf(traitsOf(each), traitsOf(other)));
      return (1 - diversity) * (each.score / (pool[0].score || 1)) - diversity * Math.max(0, ...similarities);
    });
    const [best] = left.splice(values.indexOf(Math.max(...values)), 1);
    if (add(best)) selected.push(best);
  }
}

/** Returns the rows that an algorithm selects, with at most `perCategory` of a category. */
function select(algorithm: typeof byDefinition, pool: RankedRow[], perCategory: number, ...rest: number[]) {
  const rows: number[] = [];
  const counts = new Map<string, number>();
  algorithm(pool, rest[0], rest[1], (each) => {
    const { category } = traitsOf(each);
    const count = (counts.get(category) ?? 0) + 1;
    if (count > perCategory) return false;
    counts.set(category, count);
    rows.push(each.row);
    return true;
  });
  return rows;
}

describe("diversify", () => {
  it("L11: selects as the definition of maximal marginal relevance does, with ties and caps", () => {
    fc.assert(
      fc.property(
        fc.array(product, { maxLength: 40 }),
        fc.oneof(fc.constantFrom(0.2, 0.5, 1), fc.double({ min: 0.01, max: 1, noNaN: true })),
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom(1, 3, 100),
        (products, diversity, limit, perCategory) => {
          const pool = poolOf(products);
          expect(select(diversify, pool, perCategory, limit, diversity)).toEqual(
            select(byDefinition, pool, perCategory, limit, diversity),
          );
        },
      ),
      { numRuns: 400 },
    );
  });

  it("L11: reads a number of scores that grows with the pool, and not with the limit", () => {
    const readsOf = (size: number, limit: number, diversity: number): number => {
      let reads = 0;
      const block = blockOf(
        Array.from({ length: size }, (_, i) => ({
          category: `category ${i % 20}`,
          lat: 59 + (i % 37) / 200,
          lon: 10 + (i % 41) / 100,
        })),
      );
      const pool = Array.from({ length: size }, (_, row) => ({
        block,
        row,
        get score() {
          reads++;
          return 1 - row / (2 * size);
        },
      }));
      diversify(pool, limit, diversity, () => true);
      return reads;
    };
    for (const size of [100, 500, 1000, 4000])
      for (const limit of [10, 100, size])
        for (const diversity of [0.1, 0.5, 1])
          expect(readsOf(size, limit, diversity)).toBeLessThanOrEqual(1 + (similarityValues + 2) * size);
  });
});

describe("SelectedProducts", () => {
  it("returns the similarity to the most similar product", () => {
    fc.assert(
      fc.property(fc.array(product, { minLength: 1, maxLength: 20 }), (products) => {
        const [first, ...others] = poolOf(products).map(traitsOf);
        const selected = new SelectedProducts();
        for (const each of others) selected.add(each);
        expect(selected.maxSimilarity(first)).toBe(
          Math.max(0, ...others.map((each) => similarityOf(first, each))),
        );
      }),
    );
  });
});

describe("similarityOf", () => {
  it("falls from a shared category and place to nothing", () => {
    const at = (category: string, lat: number | null, lon = 10) =>
      traitsOf({ block: blockOf([{ category, lat, lon: lat === null ? null : lon }]), row: 0 });
    const here = at("cafe", 59.9001);
    expect(similarityOf(here, here)).toBeCloseTo(0.94, 2);
    expect(similarityOf(here, at("park", 59.9001))).toBeCloseTo(0.44, 2);
    expect(similarityOf(here, at("cafe", -33))).toBe(0.5);
    expect(similarityOf(here, at("park", -33))).toBe(0);
    expect(similarityOf(at("cafe", null), at("park", null))).toBe(0);
  });
});
