import { expect, it } from "vitest";
import { BoundedCache } from "./bounded-cache.ts";

it("drops the entry that was not used for longest, one at a time", () => {
  const cache = new BoundedCache<number>(3);
  for (const [i, name] of ["a", "b", "c"].entries()) cache.set(name, i);
  expect(cache.get("a")).toBe(0);
  cache.set("d", 3);
  expect(["a", "b", "c", "d"].map((name) => cache.get(name))).toEqual([0, undefined, 2, 3]);
  cache.set("c", 9);
  expect([cache.get("c"), cache.size]).toEqual([9, 3]);
  cache.delete("c");
  expect([cache.get("c"), cache.size]).toEqual([undefined, 2]);
  cache.clear();
  expect(cache.size).toBe(0);
});
