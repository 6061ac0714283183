import { describe, expect, it } from "vitest";
import { defaultConsentOf } from "./default-consent.ts";
import { coarserOf, isFiner } from "./levels.ts";

describe("defaultConsentOf", () => {
  it("is `approximate` unless the setting names another level", () => {
    expect(defaultConsentOf({})).toBe("approximate");
    expect(defaultConsentOf({ DEFAULT_CONSENT: "none" })).toBe("none");
    expect(() => defaultConsentOf({ DEFAULT_CONSENT: "1km" })).toThrow(
      'DEFAULT_CONSENT must be one of exact, approximate, city, none; got "1km"',
    );
  });
});

describe("levels", () => {
  it("are ordered from the finest to the coarsest", () => {
    expect(isFiner("exact", "approximate")).toBe(true);
    expect(isFiner("city", "city")).toBe(false);
    expect(coarserOf("exact", "none")).toBe("none");
    expect(coarserOf("city", "approximate")).toBe("city");
  });
});
