import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { topIndices } from "./top-indices.ts";

describe("topIndices", () => {
  it("equals the head of a full sort", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 })), fc.nat(12), (scores, k) => {
        const sorted = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
        expect(topIndices(scores, scores.length, k)).toEqual(sorted.slice(0, k));
      }),
    );
  });
});
