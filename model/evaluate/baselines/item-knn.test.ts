import { describe, expect, it } from "vitest";
import { neighborsByItem } from "./item-knn.ts";

describe("neighborsByItem", () => {
  // Items 0 and 1 have two common users of two and three; item 2 has one of them.
  const neighborsOf = neighborsByItem([[0, 1], [0, 1, 2], [1]], 4);

  it("compares by the cosine of users, with shrinkage", () => {
    expect(neighborsOf(0, 0)).toEqual([
      [1, 2 / Math.sqrt(6)],
      [2, 1 / Math.sqrt(2)],
    ]);
    expect(neighborsOf(0, 5)).toEqual([
      [1, 2 / (Math.sqrt(6) + 5)],
      [2, 1 / (Math.sqrt(2) + 5)],
    ]);
  });

  it("gives an item that nobody chose no neighbor, and repeats its answers", () => {
    expect(neighborsOf(3, 0)).toEqual([]);
    expect(neighborsOf(0, 0)).toEqual(neighborsByItem([[0, 1], [0, 1, 2], [1]], 4)(0, 0));
  });
});
