import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { identifierPattern, identifierProblem } from "./identifier.ts";
import { identifier } from "./primitives.ts";

describe("identifier", () => {
  it("E8: accepts ids as people have them", () => {
    const ids = [
      "a@b.com",
      "auth0|123",
      "gid://shopify/Product/1",
      "ABC/1-2",
      "ünï",
      "a b",
      "100%",
      "a:b",
      "...",
      "用户 42",
      "می‌خواهم",
      "👨‍👩‍👧",
      "é".repeat(64),
      "x".repeat(128),
      "__proto__",
      "'; DROP TABLE users --",
    ];
    for (const id of ids) {
      expect(identifier.safeParse(id).success, id).toBe(true);
      expect(identifierPattern.test(id), id).toBe(true);
    }
  });

  it("E8: refuses other ids with the rule and what was found", () => {
    const found: [string, string][] = [
      ["", "got an empty text"],
      ["x".repeat(129), "got 129 bytes"],
      ["é".repeat(65), "got 130 bytes"],
      ["a\u0000b", "got U+0000 at position 2 of 3"],
      ["a\nb", "got U+000A"],
      ["a\u202eb", "got U+202E"],
      ["a\u200bb", "got U+200B"],
      ["a\u00a0b", "got U+00A0"],
      ["a\ud800", "got U+D800 at position 2"],
      [" a", "got U+0020 at position 1 of 2"],
      ["a ", "got U+0020 at position 2 of 2"],
      ["\u200d", "got U+200D"],
      ["\ufeffa", "got U+FEFF"],
    ];
    for (const [id, what] of found) {
      const message = identifier.safeParse(id).error?.issues[0].message;
      expect(message, JSON.stringify(id)).toContain(what);
      expect(message).toContain("1-128 bytes of printable Unicode");
    }
  });

  it("E7: refuses the ids `.` and `..`, which no path can contain", () => {
    for (const id of [".", ".."]) {
      expect(identifier.safeParse(id).error?.issues[0].message).toContain(`got \`${id}\``);
      expect(identifierPattern.test(id)).toBe(false);
    }
  });

  it("E8: has the same rule in the pattern of the OpenAPI document, but for the bytes", () => {
    const unit = fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
      fc.constantFrom(".", " ", "\u200c", "\u200d", "\ud800", "\udc00", "\n", "/", "é"),
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 20 }), (text) => {
        expect(identifierPattern.test(text)).toBe(identifierProblem(text) === null);
      }),
      { numRuns: 2000 },
    );
  });
});
