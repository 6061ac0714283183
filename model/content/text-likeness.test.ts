import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textLikenesses } from "./text-likeness.ts";
import { wordsOf } from "./words.ts";

describe("wordsOf", () => {
  it("are in lower case and without accents, whatever the script", () => {
    expect(wordsOf("Café-au-lait, 2 x 250 g!")).toEqual(["cafe", "au", "lait", "2", "x", "250", "g"]);
    expect(wordsOf("ÅNGSTRÖM Straße")).toEqual(["angstrom", "straße"]);
    expect(wordsOf("緑茶ラテ")).toEqual(["緑茶", "茶ラ", "ラテ"]);
    expect(wordsOf("茶")).toEqual(["茶"]);
    expect(wordsOf(" – ")).toEqual([]);
  });
});

describe("textLikenesses", () => {
  it("put a text with the same rare words above one with the same common words", () => {
    const texts = ["wool hat blue", "cotton shirt blue", "wool hat red", "linen shirt blue", "silk tie blue"];
    const [same, commonOnly, rareShared] = textLikenesses("blue wool hat", texts);
    expect(same).toBeCloseTo(1, 9);
    expect(rareShared).toBeGreaterThan(2 * commonOnly);
  });

  it("are 0 without a shared word", () => {
    expect(textLikenesses("", ["a", ""])).toEqual([0, 0]);
    expect(textLikenesses("a", ["b", "c d"])).toEqual([0, 0]);
    expect(textLikenesses("a", [])).toEqual([]);
  });

  it("lie between 0 and 1, do not depend on the order of words, and are 1 for the query itself", () => {
    const text = fc.array(fc.constantFrom("tea", "green", "black", "cup", "50", "g"), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 8 }), (query, others) => {
        const texts = [query, ...others].map((words) => words.join(" "));
        const likenesses = textLikenesses(query.join(" "), texts);
        expect(likenesses[0]).toBeCloseTo(1, 9);
        for (const each of likenesses) {
          expect(each).toBeGreaterThanOrEqual(0);
          expect(each).toBeLessThanOrEqual(1 + 1e-9);
        }
        textLikenesses(query.toReversed().join(" "), texts).forEach((each, i) => {
          expect(each).toBeCloseTo(likenesses[i], 9);
        });
      }),
    );
  });
});
