import { describe, expect, it } from "vitest";
import { blockOf, day, now } from "../features/testing.ts";
import { compileExpression } from "./compile-expression.ts";
import { withAttributes } from "./optional-fields.ts";
import { listFields } from "./standard-fields.ts";

const fields = withAttributes(listFields, {
  ...{
    color: "string",
    vegan: "boolean",
    weight: "number",
    released: "time",
    labels: "list",
    "gluten-free": "boolean",
  },
});
const context = { currency: "EUR", point: null, now, offsetSeconds: 0, user: null };
const block = blockOf([
  {
    optional: [
      { name: "attributes.color", type: "string", value: "red" },
      { name: "attributes.vegan", type: "boolean", value: true },
      { name: "attributes.weight", type: "number", value: 2 },
      { name: "attributes.labels", type: "list", value: ["bio", "fair"] },
    ],
  },
  {
    optional: [
      { name: "attributes.color", type: "string", value: "green" },
      { name: "attributes.vegan", type: "boolean", value: false },
      { name: "attributes.released", type: "time", value: now - day },
      { name: "attributes.labels", type: "list", value: ["fair"] },
    ],
  },
  {},
]);

describe("declared attributes in expressions", () => {
  it.each([
    ['product.attributes.color == "red"', ["p0"]],
    ['product.attributes.color != "red"', ["p1"]],
    ['!(product.attributes.color == "red")', ["p1", "p2"]],
    ['product.attributes.color in ["green", "blue"]', ["p1"]],
    ["product.attributes.vegan", ["p0"]],
    ["!product.attributes.vegan", ["p1", "p2"]],
    ["product.attributes.vegan == false", ["p1"]],
    ["product.attributes.vegan != true", ["p1"]],
    ["has(product.attributes.vegan)", ["p0", "p1"]],
    ["product.attributes.weight * 2.0 >= 4.0", ["p0"]],
    ['now - product.attributes.released < duration("2d")', ["p1"]],
    ['"fair" in product.attributes.labels', ["p0", "p1"]],
    ['"bio" in product.attributes.labels', ["p0"]],
    ["!has(product.attributes.labels)", ["p2"]],
    ['product.attributes["gluten-free"]', []],
    ['!has(product.attributes["gluten-free"])', ["p0", "p1", "p2"]],
  ])("evaluates %s", (source, expected) => {
    const compiled = compileExpression(source, fields);
    if (!compiled.ok) throw new Error(compiled.error.reason);
    const { test } = compiled.expression.bind(context);
    expect([0, 1, 2].flatMap((row) => (test(block, row) ? [block.id(row)] : []))).toEqual(expected);
  });

  it("are unknown if they are not declared, and the nearest one is named", () => {
    const compiled = compileExpression('product.attributes.colour == "red"', fields);
    expect(compiled).toMatchObject({ ok: false, error: { nearest: "product.attributes.color" } });
  });
});
