import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findRetiredWords, insteadOf } from "./find-retired-words.ts";
import { splitSource } from "./split-source.ts";

const compact = (text: string): string => text.replace(/\s+/g, " ").trim();

describe("splitSource", () => {
  it("blanks strings and keeps the expressions in template strings", () => {
    const { code } = splitSource(`const a = \`x \${b + \`y \${c}\`} z\` + "d" + 'e';`);
    expect(compact(code)).toBe("const a = b + c + + ;");
  });

  it("distinguishes comments from strings, and regular expressions from divisions", () => {
    const { code, comments } = splitSource(
      'a = b / c; // one\nd = /"[/]\\//g.test(e); /* two */ f = "// three";',
    );
    expect(compact(code)).toBe("a = b / c; d = .test(e); f = ;");
    expect(compact(comments)).toBe("// one /* two */");
  });

  it("keeps the position of every character", () => {
    fc.assert(
      fc.property(fc.string(), (source) => {
        const { code, comments } = splitSource(source);
        expect(code).toHaveLength(source.length);
        expect(comments).toHaveLength(source.length);
        for (let i = 0; i < source.length; i++)
          if (code[i].trim() && comments[i].trim()) throw new Error("a character is code and comment");
      }),
    );
  });
});

describe("insteadOf", () => {
  it("returns a word for an identifier with a retired part, in any case", () => {
    for (const identifier of [
      "personOf",
      "newPerson",
      "PERSON_ID",
      "#shelves",
      "mostRows",
      "leastLists",
      "atOnce",
    ])
      expect(insteadOf(identifier)).not.toBeNull();
  });

  it("returns null for words that only contain a retired word, and for terms of the platform", () => {
    for (const identifier of ["personalize", "almost", "deadLetterId", "hotHalfLives", "mostly", "Promise"])
      expect(insteadOf(identifier)).toBeNull();
  });
});

describe("findRetiredWords", () => {
  it("returns the line of an identifier and of a word in a comment", () => {
    expect(findRetiredWords("a.ts", "const a = 1;\n/** The newcomer. */\nconst person = 2;")).toMatchObject([
      { line: 3, word: "person" },
      { line: 2, word: "newcomer" },
    ]);
  });

  it("reads the prose of a document and not its code", () => {
    expect(findRetiredWords("a.md", "The catalogue.\n`catalogue`\n```\ncatalogue\n```\n")).toMatchObject([
      { line: 1, word: "catalogue" },
    ]);
  });
});
