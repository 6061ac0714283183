import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seal } from "./block.ts";
import { ColumnsBuilder, type ProductRow } from "./builder.ts";
import { decodeColumns, nextProductsOf } from "./columns.ts";
import { concat } from "./concat.ts";
import { hash32, hash53 } from "./hash.ts";

const meta = { cell: "861f05a37ffffff", version: 3, time: 1_700_000_000, children: [] };
const row = fc.record({
  productId: fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  title: fc.string({ unit: "grapheme", maxLength: 40 }),
  category: fc.constantFrom("cafe", "книги", "寿司"),
  lat: fc.option(fc.double({ min: -90, max: 90, noNaN: true })),
  lon: fc.option(fc.double({ min: -180, max: 180, noNaN: true })),
  version: fc.nat(),
  createdAt: fc.nat(),
  lastTime: fc.nat(),
  price: fc.option(fc.nat(10_000)),
  currency: fc.option(fc.constantFrom("EUR", "JPY")),
  discount: fc.constantFrom(0, 0.25, 0.5),
  rating: fc.option(fc.nat(10)),
  available: fc.boolean(),
  cell: fc.constantFrom("861f05a37ffffff", "world-3"),
  counts: fc.array(fc.nat(1000), { minLength: 6, maxLength: 6 }),
  hot: fc.array(fc.nat(1000), { minLength: 3, maxLength: 3 }),
  hours: fc.array(fc.nat(9), { minLength: 24, maxLength: 24 }),
  weekdays: fc.array(fc.nat(9), { minLength: 7, maxLength: 7 }),
  nextProducts: fc.array(
    fc.record({
      productId: fc.constantFrom("a", "bé"),
      cell: fc.constantFrom("c1", "c2"),
      weight: fc.nat(100),
    }),
    { maxLength: 8 },
  ),
});

function build(rows: ProductRow[]): ArrayBuffer {
  const builder = new ColumnsBuilder(rows.length);
  for (const each of rows) builder.addRow(each);
  return builder.finish(meta);
}

describe("columns", () => {
  it("gives back every row that was written, whatever its text", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
        const columns = decodeColumns(build(rows));
        if (!columns) throw new Error("a fresh block must decode");
        expect(columns.meta).toEqual(meta);
        expect(columns.count).toBe(rows.length);
        rows.forEach((each, i) => {
          expect(columns.id(i)).toBe(each.productId);
          expect(columns.title(i)).toBe(each.title);
          expect(columns.idHash[i]).toBe(hash53(each.productId));
          expect(columns.strings[columns.category[i]]).toBe(each.category);
          expect(columns.lat[i]).toBe(each.lat ?? Number.NaN);
          expect(columns.price[i]).toBe(each.price ?? Number.NaN);
          expect([...columns.counts.subarray(i * 6, i * 6 + 6)]).toEqual(each.counts);
          expect(nextProductsOf(columns, i)).toEqual(each.nextProducts);
        });
      }),
    );
  });

  it("copies rows between blocks without a difference", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), (rows) => {
        const source = decodeColumns(build(rows));
        if (!source) throw new Error("a fresh block must decode");
        const list = {
          blocks: [source, source],
          from: rows.map((_, i) => i % 2),
          rows: rows.map((_, i) => rows.length - 1 - i),
          count: rows.length,
        };
        const copy = decodeColumns(seal(concat(list, meta, rows.length).packed));
        if (!copy) throw new Error("a fresh block must decode");
        expect(concat(list, meta).nextHash).toHaveLength(0);
        rows.forEach((each, i) => {
          const at = rows.length - 1 - i;
          expect(copy.id(at)).toBe(each.productId);
          expect(copy.title(at)).toBe(each.title);
          expect(copy.strings[copy.cell[at]]).toBe(each.cell);
          expect(copy.hours.subarray(at * 24, at * 24 + 24)).toEqual(
            source.hours.subarray(i * 24, i * 24 + 24),
          );
          expect(nextProductsOf(copy, at)).toEqual(each.nextProducts);
        });
      }),
    );
  });

  it("refuses a block with any flipped bit, and a torn one", () => {
    const sample = fc.sample(row, { numRuns: 3, seed: 1 });
    const whole = new Uint8Array(build(sample));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(7), (at, bit) => {
        const harmed = whole.slice();
        harmed[at] ^= 1 << bit;
        expect(decodeColumns(harmed.buffer)).toBeNull();
      }),
    );
    expect(decodeColumns(whole.slice(0, whole.length - 8).buffer)).toBeNull();
    expect(decodeColumns(new ArrayBuffer(0))).toBeNull();
  });

  it("hashes ids to distinct exact integers", () => {
    const seen = new Set<number>();
    for (let i = 0; i < 200_000; i++) seen.add(hash53(`product-${i}`));
    expect(seen.size).toBe(200_000);
    for (const hash of seen) expect(Number.isSafeInteger(hash)).toBe(true);
    expect(hash32("cafe")).toBeLessThan(2 ** 32);
  });
});
