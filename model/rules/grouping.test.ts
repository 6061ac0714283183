import { describe, expect, it } from "vitest";
import type { ColumnValue } from "../../shared/contracts/column-value.ts";
import { attributeColumn } from "../columns/optional-columns.ts";
import { blockOf } from "../features/testing.ts";
import { Groups } from "./grouping.ts";

const attributes = { size: "number", fragile: "boolean", since: "time", kind: "string" } as const;
const context = { now: 0, expressions: { now: 0, offsetSeconds: 0, point: null, user: null, attributes } };
const attributeOf = (name: keyof typeof attributes, value: string | number | boolean): ColumnValue =>
  ({ name: attributeColumn(name), type: attributes[name], value }) as ColumnValue;

describe("Groups", () => {
  it("number the values of each type of attribute, the same in all blocks", () => {
    const first = blockOf([
      { optional: [attributeOf("size", 2), attributeOf("fragile", false), attributeOf("kind", "a")] },
      { optional: [attributeOf("size", 3), attributeOf("since", 60)] },
      {},
    ]);
    const second = blockOf([
      { optional: [attributeOf("kind", "b"), attributeOf("size", 3)] },
      { optional: [attributeOf("kind", "a"), attributeOf("fragile", true), attributeOf("since", 60)] },
    ]);
    const numbersBy = (by: string) => {
      const groups = new Groups(`attributes.${by}`, context);
      return [first, second, first].map((block) => {
        const { starts, items } = groups.of(block);
        return Array.from({ length: block.count }, (_, row) => [
          ...items.subarray(starts[row], starts[row + 1]),
        ]);
      });
    };
    expect(numbersBy("size").slice(0, 2)).toEqual([
      [[0], [1], []],
      [[1], []],
    ]);
    expect(numbersBy("kind")).toEqual([
      [[0], [], []],
      [[1], [0]],
      [[0], [], []],
    ]);
    expect(numbersBy("fragile").slice(0, 2)).toEqual([
      [[0], [], []],
      [[], [1]],
    ]);
    expect(numbersBy("since").slice(0, 2)).toEqual([
      [[], [0], []],
      [[], [0]],
    ]);
  });
});
