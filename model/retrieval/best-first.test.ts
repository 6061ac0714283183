import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BestFirst } from "./best-first.ts";

describe("BestFirst", () => {
  it("equals a full sort, however it is read", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 })), fc.array(fc.nat(12)), (scores, steps) => {
        const order = new BestFirst(scores, scores.length);
        const indices = [...steps, scores.length].flatMap((k) => order.take(k));
        expect(indices).toEqual(scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b));
      }),
    );
  });
});
