import { expect, it } from "vitest";
import { listDiversity } from "./list-diversity.ts";

it("is the share of pairs of products of different categories", () => {
  expect(listDiversity(["a", "a", "a"])).toBe(0);
  expect(listDiversity(["a", "b", null])).toBe(1);
  expect(listDiversity(["a", "a", "b"])).toBeCloseTo(2 / 3, 12);
  expect(listDiversity(["a"])).toBe(0);
});
