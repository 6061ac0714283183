import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { preferredLanguage } from "./accept-language.ts";
import { languages } from "./languages.ts";

describe("preferredLanguage", () => {
  it("takes the language with the largest weight, the first of equal ones", () => {
    expect(preferredLanguage("de")).toBe("de");
    expect(preferredLanguage("fr, de")).toBe("fr");
    expect(preferredLanguage("fr;q=0.5, de;q=0.9, es;q=0.1")).toBe("de");
    expect(preferredLanguage("it, pt;q=0.9, es;q=0.001")).toBe("es");
    expect(preferredLanguage("fr ; q=0.3 , ES;Q=0.4")).toBe("es");
  });

  it("accepts a region and a script", () => {
    expect(preferredLanguage("de-AT")).toBe("de");
    expect(preferredLanguage("zh-Hant-TW, es-419;q=0.8")).toBe("es");
  });

  it("knows any language and excluded ones", () => {
    expect(preferredLanguage("*")).toBe("en");
    expect(preferredLanguage("en;q=0, *;q=0.5")).toBe("de");
    expect(preferredLanguage("de;q=0, de-AT")).toBe("en");
    expect(preferredLanguage("de;q=0.2, *;q=0.8")).toBe("en");
  });

  it("leaves out what is not as the standard says", () => {
    for (const header of ["de;q=2", "de;q=-1", "de;q=0.1234", "de;level=1", "d€", "de;q=1;x=2", ";;,,", ""])
      expect(preferredLanguage(header)).toBe("en");
    expect(preferredLanguage(undefined)).toBe("en");
    expect(preferredLanguage(null)).toBe("en");
  });

  it("returns a language that answers have, for every text", () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(languages).toContain(preferredLanguage(header));
      }),
    );
  });

  it("agrees with the largest weight for every well-formed header", () => {
    const weights = fc.record(
      Object.fromEntries(languages.map((each) => [each, fc.integer({ min: 0, max: 1000 })])),
    );
    fc.assert(
      fc.property(weights, (all) => {
        const header = Object.entries(all).map(
          ([language, q]) => `${language}-XX;q=${(q / 1000).toFixed(3)}`,
        );
        const best = preferredLanguage(header.join(", "));
        const largest = Math.max(...Object.values(all));
        expect(largest === 0 ? best : all[best]).toBe(largest === 0 ? "en" : largest);
      }),
    );
  });
});
