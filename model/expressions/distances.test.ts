import { describe, expect, it } from "vitest";
import { blockOf, north, now, origin } from "../features/testing.ts";
import { compileExpression } from "./compile-expression.ts";
import { rememberDistances } from "./distances.ts";
import { listFields } from "./standard-fields.ts";

describe("rememberDistances", () => {
  it("gives conditions the same distances as without it, absent ones too, and computes them once", () => {
    const block = blockOf([north(1), north(2.5), {}, north(40)]);
    const context = { point: origin, now, offsetSeconds: 0, user: null };
    const distances = rememberDistances(origin);
    expect(distances(block)).toBe(distances(block));
    for (const source of [
      "distanceKm < 2.0",
      "distanceKm >= 2.5",
      "has(distanceKm)",
      "distanceKm * 2.0 < 6.0",
    ]) {
      const compiled = compileExpression(source, listFields);
      if (!compiled.ok) throw new Error(compiled.error.reason);
      const passing = compiled.expression.bind(context).rowsThatPass(block);
      expect(compiled.expression.bind({ ...context, distances }).rowsThatPass(block)).toEqual(passing);
    }
  });
});
