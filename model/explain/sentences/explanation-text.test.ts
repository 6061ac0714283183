import { describe, expect, it } from "vitest";
import { languages } from "../../../shared/language/languages.ts";
import { reasonSubjects } from "../../pipeline/reasons.ts";
import { explanationText, templatesByLanguage } from "./explanation-text.ts";

const facts = { title: "Espresso", distanceKm: 0.42, reasons: ["near_you", "chosen_before"], rules: [] };

/** Returns a text with plain spaces: languages differ in where they write narrow and fixed ones. */
const withSpaces = (text: string): string => text.replaceAll(/\s/g, " ");

describe("explanationText", () => {
  it("says the reasons and the distance in each language", () => {
    expect(languages.map((language) => withSpaces(explanationText(language, facts)))).toEqual([
      "“Espresso” is recommended because you chose it before and it is 420 m away.",
      "„Espresso“ wird empfohlen, weil Sie es schon einmal gewählt haben und es 420 m entfernt ist.",
      "Se recomienda «Espresso» porque usted ya lo eligió antes y está a 420 m.",
      "« Espresso » est recommandé parce que vous avez déjà choisi ce produit et ce produit se trouve à 420 m.",
    ]);
  });

  it("writes numbers as the language does", () => {
    const far = { ...facts, distanceKm: 2.46, reasons: [] };
    expect(withSpaces(explanationText("en", far))).toContain("2.5 km");
    expect(withSpaces(explanationText("de", far))).toContain("2,5 km");
  });

  it("names rules of the shop first, and three clauses at most", () => {
    const many = { ...facts, reasons: ["popular", "trending", "discounted"], rules: ["boost", "unknown"] };
    expect(explanationText("en", many)).toBe(
      "“Espresso” is recommended because the shop features its category, many people choose it and it is 420 m away.",
    );
  });

  it("has a sentence without reasons, and none of a distance that is far or withheld", () => {
    for (const distanceKm of [null, 300])
      expect(explanationText("en", { ...facts, distanceKm, reasons: [] })).toBe(
        "“Espresso” is recommended because it scores well among the products found.",
      );
  });

  it("has a clause for each reason, and the same rules, in each language", () => {
    for (const language of languages) {
      const { reasons, rules } = templatesByLanguage[language];
      expect(Object.keys(reasons).sort()).toEqual([...reasonSubjects.keys()].sort());
      expect(Object.keys(rules).sort()).toEqual(Object.keys(templatesByLanguage.en.rules).sort());
    }
  });
});
