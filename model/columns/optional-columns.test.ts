import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ColumnValue } from "../../shared/contracts/column-value.ts";
import { sealBlock } from "./block.ts";
import { type Columns, decodeColumns } from "./columns.ts";
import { ColumnsBuilder } from "./columns-builder.ts";
import { concatRows } from "./concat-rows.ts";
import { attributeColumn, booleanValue } from "./optional-columns.ts";
import { optionalColumn, optionalList, optionalNumber, optionalString } from "./optional-values.ts";

const meta = { cell: "861f05a37ffffff", version: 3, time: 1_700_000_000, children: [] };

const text = fc.constantFrom("red", "grün", "赤", "");
const values = fc.record(
  {
    color: text.map((value): ColumnValue => ({ name: "attributes.color", type: "string", value })),
    size: fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map((value): ColumnValue => ({ name: "attributes.size", type: "number", value })),
    until: fc.nat().map((value): ColumnValue => ({ name: "saleUntil", type: "time", value })),
    vegan: fc.boolean().map((value): ColumnValue => ({ name: "attributes.vegan", type: "boolean", value })),
    tags: fc
      .array(text, { minLength: 1, maxLength: 4 })
      .map((value): ColumnValue => ({ name: "attributes.tags", type: "list", value })),
    // The same attribute under another type, as while a changed schema is published.
    sizeName: text.map((value): ColumnValue => ({ name: "attributes.size", type: "string", value })),
  },
  { requiredKeys: [] },
);
const rows = fc.array(values, { maxLength: 9 });

function build(prefix: string, list: readonly Partial<Record<string, ColumnValue>>[]): Columns {
  const builder = new ColumnsBuilder(list.length);
  list.forEach((each, i) => {
    builder.addRow({
      ...{ productId: `${prefix}${i}`, title: `title ${i}`, category: "red", cell: "c", groupId: null },
      ...{ lat: 1, lon: 2, version: 1, createdAt: 1, lastTime: 0, priceMinor: 5, currency: "EUR" },
      ...{ discount: 0, rating: null, available: true, hours: [], weekdays: [], nextProducts: [] },
      counts: [0, 0, 0, 0, 0, 0, 0],
      hot: [0, 0, 0],
      optional: Object.values(each).filter((value) => value !== undefined),
    });
  });
  const columns = decodeColumns(builder.finish(meta));
  if (!columns) throw new Error("a fresh block must decode");
  return columns;
}

/** Compares all optional columns of a row with the values that were written. */
function expectRow(columns: Columns, row: number, each: Partial<Record<string, ColumnValue>>): void {
  expect(optionalString(columns, "attributes.color", row)).toBe(each.color?.value ?? null);
  expect(optionalNumber(columns, "attributes.size", "number", row)).toBe(each.size?.value ?? null);
  expect(optionalNumber(columns, "saleUntil", "time", row)).toBe(each.until?.value ?? null);
  const vegan = optionalColumn(columns, "attributes.vegan", "boolean")?.values[row] ?? booleanValue.none;
  expect(vegan).toBe(each.vegan ? Number(each.vegan.value) : booleanValue.none);
  expect(optionalList(columns, "attributes.tags", row)).toEqual(each.tags?.value ?? []);
  expect(optionalString(columns, "attributes.size", row)).toBe(each.sizeName?.value ?? null);
}

describe("optional columns", () => {
  it("return every value as it was written", () => {
    fc.assert(
      fc.property(rows, (list) => {
        const columns = build("p", list);
        list.forEach((each, row) => {
          expect(columns.title(row)).toBe(`title ${row}`);
          expectRow(columns, row, each);
        });
      }),
    );
  });

  it("keep their values when concatRows copies rows of several blocks", () => {
    fc.assert(
      fc.property(rows, rows, (first, second) => {
        const sources = [first, second].map((list, i) => ({ list, block: build(String(i), list) }));
        const picked = sources
          .flatMap(({ list }, from) => list.map((each, row) => ({ from, row, each })))
          .reverse();
        const list = {
          blocks: sources.map(({ block }) => block),
          from: picked.map(({ from }) => from),
          rows: picked.map(({ row }) => row),
          count: picked.length,
        };
        const made = concatRows(list, meta, { addresses: false, nextProducts: 0 });
        const sent = decodeColumns(sealBlock(made.buffer.slice(0)));
        for (const copy of [made, sent])
          picked.forEach(({ from, row, each }, i) => {
            expect(copy?.id(i)).toBe(`${from}${row}`);
            if (copy) expectRow(copy, i, each);
          });
      }),
    );
  });

  it("cost nothing in a block whose rows have no value, and only their own bytes in others", () => {
    const bare = build("p", [{}, {}, {}, {}]);
    expect(bare.optional).toEqual([]);
    expect(optionalColumn(bare, "brand", "string")).toBeNull();
    const brand: ColumnValue = { name: "brand", type: "string", value: "Acme" };
    const branded = build("p", [{ brand }, {}, {}, {}]);
    // Four rows of four bytes, the entry and the new string in the metadata, and alignment.
    expect(branded.buffer.byteLength - bare.buffer.byteLength).toBeLessThan(16 + 80 + 16);
  });

  it("names an attribute's column so that it is no field's", () => {
    expect(attributeColumn("brand")).toBe("attributes.brand");
  });
});
