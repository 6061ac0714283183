import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupIdOf } from "../columns/columns.ts";
import { compareProductIds } from "../columns/product-identity.ts";
import { blockOf } from "../features/testing.ts";
import { compareRanked, RankedOrder } from "./ranked-order.ts";
import type { RankedRow } from "./ranked-row.ts";

/** Rows with few different scores, so that many are equal, and with groups. */
const rows = fc
  .array(fc.record({ score: fc.nat(30), group: fc.option(fc.nat(40), { nil: null }) }), { maxLength: 300 })
  .map((list): RankedRow[] => {
    const block = blockOf(
      list.map(({ group }, i) => ({ productId: `p${i}`, groupId: group === null ? null : `g${group}` })),
    );
    return list.map(({ score }, row) => ({ block, row, score }));
  });

/** Returns a function that is true for the first row of each group. */
function firstOfGroup(): (row: RankedRow) => boolean {
  const groups = new Set<string>();
  return ({ block, row }) => {
    const group = groupIdOf(block, row);
    return group === null || (!groups.has(group) && Boolean(groups.add(group)));
  };
}

/** The whole order by its definition. */
function sorted(list: readonly RankedRow[]): RankedRow[] {
  return [...list]
    .sort((a, b) => b.score - a.score || compareProductIds(a.block, a.row, b.block, b.row))
    .filter(firstOfGroup());
}

describe("RankedOrder", () => {
  it("is the whole order by score and product, without those it leaves out, as far as it is read", () => {
    fc.assert(
      fc.property(rows, fc.array(fc.nat(310), { maxLength: 6 }), (list, positions) => {
        const order = new RankedOrder(list, firstOfGroup());
        const expected = sorted(list);
        for (const position of positions) expect(order.at(position)).toBe(expected[position]);
        const presorted = new RankedOrder([...list].sort(compareRanked), firstOfGroup(), true);
        expect(presorted.first(list.length + 1)).toEqual(expected);
        expect(order.first(20)).toEqual(expected.slice(0, 20));
        expect(order.first(list.length + 1)).toEqual(expected);
      }),
    );
  });
});
