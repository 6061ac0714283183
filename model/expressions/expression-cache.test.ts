import { expect, it } from "vitest";
import { cachedExpression } from "./expression-cache.ts";
import { listFields, userListFields } from "./standard-fields.ts";

it("compiles an expression once, and separately for each table of fields", () => {
  const first = cachedExpression("user.choices > 1", userListFields);
  expect(first.ok).toBe(true);
  expect(cachedExpression("user.choices > 1", userListFields)).toBe(first);
  expect(cachedExpression("user.choices > 1", listFields).ok).toBe(false);
});

it("forgets the expressions that were not used for the longest time", () => {
  const used = cachedExpression("hour > 1000", listFields);
  const unused = cachedExpression("hour > 1001", listFields);
  for (let i = 0; i < 300; i++) {
    cachedExpression(`hour > ${i}`, listFields);
    expect(cachedExpression("hour > 1000", listFields)).toBe(used);
  }
  expect(cachedExpression("hour > 1001", listFields)).not.toBe(unused);
});
