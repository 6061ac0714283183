import { describe, expect, it } from "vitest";
import { productInput } from "./product.ts";
import { recommendationInput } from "./recommendation.ts";
import { parseUnknown } from "./result.ts";
import { userInput } from "./user.ts";

const product = { id: "p", title: "Title" };
/** Returns the issues of an input that is refused. */
function issuesOf(schema: Parameters<typeof parseUnknown>[0], input: unknown) {
  const parsed = parseUnknown(schema, input);
  return parsed.ok ? [] : parsed.error.issues;
}

describe("texts", () => {
  it("E5: are well-formed Unicode, since stores would keep other characters than half of a surrogate pair", () => {
    const half = JSON.parse('"a\\ud800b"');
    const wrong = "U+D800 alone at position 2";
    const inputs: [Parameters<typeof parseUnknown>[0], object, string][] = [
      [productInput, { ...product, title: half }, "title"],
      [productInput, { ...product, category: half }, "category"],
      [productInput, { ...product, attributes: { color: half } }, "attributes.color"],
      [productInput, { ...product, attributes: { colors: ["red", half] } }, "attributes.colors.1"],
      [userInput, { attributes: { name: half } }, "attributes.name"],
      [recommendationInput, { userId: "ann", filter: { categories: [half] } }, "filter.categories.0"],
    ];
    for (const [schema, input, path] of inputs)
      expect(issuesOf(schema, input)).toMatchObject([{ path, message: expect.stringContaining(wrong) }]);
    expect(issuesOf(productInput, { ...product, attributes: { [half]: 1 } })).toMatchObject([
      { message: expect.stringContaining(wrong) },
    ]);
    expect(issuesOf(productInput, { ...product, title: "\ud83d\ude00", category: "🍞" })).toEqual([]);
  });
});

describe("names of attributes", () => {
  it("E10: have 1 to 64 characters, and a refusal says so", () => {
    for (const name of ["", "k".repeat(65)]) {
      const [issue] = issuesOf(productInput, { ...product, attributes: { [name]: 1 } }) ?? [];
      expect(issue.message).toMatch(
        /^the name ".*: Too (small|big): expected string to have [<>]=(1|64) char/,
      );
    }
  });

  it("E10: may be those of fields that every object has, but not `__proto__`, which would be dropped", () => {
    const parsed = parseUnknown(productInput, {
      ...product,
      attributes: { constructor: "c", toString: "t" },
    });
    expect(parsed).toMatchObject({ ok: true, value: { attributes: { constructor: "c", toString: "t" } } });
    for (const [schema, text, path] of [
      [productInput, '{"id":"p","title":"T","attributes":{"__proto__":"x"}}', "attributes.__proto__"],
      [recommendationInput, '{"userId":"ann","boost":{"__proto__":2}}', "boost.__proto__"],
    ] as const)
      expect(issuesOf(schema, JSON.parse(text))).toMatchObject([
        { path, message: expect.stringContaining("is not accepted as a name") },
      ]);
  });
});

describe("an issue", () => {
  it("E3: shows a number that is too large for JSON as it was read", () => {
    const input = JSON.parse('{"id":"p","title":"T","price":1e400}');
    expect(issuesOf(productInput, input)).toMatchObject([
      { path: "price", message: expect.stringContaining("; got Infinity") },
    ]);
  });
});
