import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exceedsNestingDepth } from "./nesting-depth.ts";

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

describe("exceedsNestingDepth", () => {
  it("agrees with the depth of the parsed value, whatever its strings hold", () => {
    const text = fc.string({ unit: fc.constantFrom("[", "{", "]", "}", '"', "\\", "a") });
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 8 },
        text,
        fc.integer(),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(text, tie("value"), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.nat(8), (given, levels) => {
        expect(exceedsNestingDepth(JSON.stringify(given), levels)).toBe(depthOf(given) > levels);
      }),
    );
  });

  it("returns true for a million opening brackets", () => {
    expect(exceedsNestingDepth("[".repeat(1_000_000), 10)).toBe(true);
  });
});
