import fc from "fast-check";
import { expect, it } from "vitest";
import { type Columns, unpackColumns } from "./columns.ts";
import { ColumnsBuilder } from "./columns-builder.ts";
import { hash53 } from "./hash.ts";
import { rowOfProduct } from "./row-index.ts";

function blockOf(ids: readonly string[]): Columns {
  const builder = new ColumnsBuilder(ids.length);
  for (const productId of ids)
    builder.addRow({
      ...{ productId, title: productId, category: "cafe", lat: null, lon: null, version: 1, createdAt: 0 },
      ...{
        lastTime: 0,
        priceMinor: null,
        groupId: null,
        currency: "EUR",
        discount: 0,
        rating: null,
        available: true,
      },
      ...{
        cell: "world-0",
        counts: [0, 0, 0, 0, 0, 0],
        hot: [0, 0, 0],
        hours: [],
        weekdays: [],
        nextProducts: [],
      },
    });
  const block = unpackColumns(builder.finish({ cell: "world-0", version: 1, time: 0, children: [] }));
  if (!block) throw new Error("not a block");
  return block;
}

it("rowOfProduct finds every product of a block, and no other", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 300 }),
      fc.string(),
      (ids, other) => {
        const block = blockOf(ids);
        for (const id of ids) expect(block.id(rowOfProduct(block, id) ?? -1)).toBe(id);
        expect(rowOfProduct(block, other) !== undefined).toBe(ids.includes(other));
      },
    ),
  );
});

it("rowOfProduct finds the products of one shard, whose hashes share the lower bits", () => {
  const ids = Array.from({ length: 60_000 }, (_, n) => `p${n}`).filter((id) => hash53(id) % 64 === 5);
  const block = blockOf(ids);
  ids.forEach((id, row) => {
    expect(rowOfProduct(block, id)).toBe(row);
  });
});
