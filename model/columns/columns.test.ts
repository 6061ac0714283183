import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sealBlock } from "./block.ts";
import { decodeColumns, nextProductsOf } from "./columns.ts";
import { ColumnsBuilder, type ColumnsRow } from "./columns-builder.ts";
import { concatRows } from "./concat-rows.ts";
import { hash32, hash53 } from "./hash.ts";
import { noString, columnWidth as width } from "./layout.ts";

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
  priceMinor: fc.option(fc.integer({ min: 0, max: 1e13 })),
  currency: fc.option(fc.constantFrom("EUR", "JPY")),
  discount: fc.constantFrom(0, 0.25, 0.5),
  rating: fc.option(fc.nat(10)),
  available: fc.boolean(),
  groupId: fc.option(fc.constantFrom("shirt-7", "grün")),
  cell: fc.constantFrom("861f05a37ffffff", "world-3"),
  counts: fc.array(fc.nat(1000), { minLength: width.counts, maxLength: width.counts }),
  hot: fc.array(fc.nat(1000), { minLength: width.hot, maxLength: width.hot }),
  hours: fc.array(fc.nat(9), { minLength: width.hours, maxLength: width.hours }),
  weekdays: fc.array(fc.nat(9), { minLength: width.weekdays, maxLength: width.weekdays }),
  nextProducts: fc.array(
    fc.record({
      productId: fc.constantFrom("a", "bé"),
      cell: fc.constantFrom("c1", "c2"),
      weight: fc.nat(100),
    }),
    { maxLength: 8 },
  ),
});

function build(rows: ColumnsRow[]): ArrayBuffer {
  const builder = new ColumnsBuilder(rows.length);
  for (const each of rows) builder.addRow(each);
  return builder.finish(meta);
}

describe("Columns", () => {
  it("decodes every row as it was written, with any Unicode text", () => {
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
          expect(columns.priceMinor[i]).toBe(each.priceMinor ?? Number.NaN);
          expect([...columns.counts.subarray(i * width.counts, (i + 1) * width.counts)]).toEqual(each.counts);
          expect(nextProductsOf(columns, i)).toEqual(each.nextProducts);
        });
      }),
    );
  });

  it("keeps rows equal when concatRows copies them to another block", () => {
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
        const copy = decodeColumns(
          sealBlock(concatRows(list, meta, { addresses: true, nextProducts: rows.length }).buffer),
        );
        if (!copy) throw new Error("a fresh block must decode");
        const bare = concatRows(list, meta, { addresses: false, nextProducts: 0 });
        expect(bare.nextWeight).toHaveLength(0);
        expect(new Set(bare.cell)).toEqual(new Set([noString]));
        expect(bare.strings).not.toContain(source.strings[source.cell[0]]);
        rows.forEach((each, i) => {
          const at = rows.length - 1 - i;
          expect(copy.id(at)).toBe(each.productId);
          expect(copy.title(at)).toBe(each.title);
          expect(copy.strings[copy.cell[at]]).toBe(each.cell);
          expect(copy.hours.subarray(at * width.hours, (at + 1) * width.hours)).toEqual(
            source.hours.subarray(i * width.hours, (i + 1) * width.hours),
          );
          expect(nextProductsOf(copy, at)).toEqual(each.nextProducts);
        });
      }),
    );
  });

  it("refuses a block with a flipped bit, a truncated block and an empty buffer", () => {
    const sample = fc.sample(row, { numRuns: 3, seed: 1 });
    const whole = new Uint8Array(build(sample));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(7), (at, bit) => {
        const damaged = whole.slice();
        damaged[at] ^= 1 << bit;
        expect(decodeColumns(damaged.buffer)).toBeNull();
      }),
    );
    expect(decodeColumns(whole.slice(0, whole.length - 8).buffer)).toBeNull();
    expect(decodeColumns(new ArrayBuffer(0))).toBeNull();
  });
});

describe("hash53", () => {
  it("returns distinct exact integers", () => {
    const seen = new Set<number>();
    for (let i = 0; i < 200_000; i++) seen.add(hash53(`product-${i}`));
    expect(seen.size).toBe(200_000);
    expect([...seen].every(Number.isSafeInteger)).toBe(true);
    expect(hash32("cafe")).toBeLessThan(2 ** 32);
  });
});
