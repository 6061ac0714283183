import { describe, expect, it } from "vitest";
import { lastChoicesOf } from "../candidate-query/last-choices.ts";
import { likelyRepeats } from "../candidate-query/likely-repeats.ts";
import { makeInteraction, now, profileOf } from "../features/testing.ts";
import { profileInContext } from "./profile-in-context.ts";

const product = (productId: string) => ({
  ...{ productId, category: "tea", cell: "c1" },
  ...{ lat: null, lon: null, priceMinor: null, currency: null },
});

describe("profileInContext", () => {
  it("makes what the user looks at the newest choices, and their next products candidates", () => {
    const profile = profileOf([makeInteraction("old", now - 100)]);
    const inContext = profileInContext(profile, [product("cup"), product("pot")], now, 0);
    expect(lastChoicesOf(inContext)).toEqual(["pot", "cup", "old"]);
    expect(likelyRepeats(inContext, now)).toEqual([
      { productId: "cup", cell: "c1" },
      { productId: "pot", cell: "c1" },
    ]);
    expect(lastChoicesOf(profile)).toEqual(["old"]);
    expect(profile.products.has("cup")).toBe(false);
  });

  it("is the profile itself without a context", () => {
    const profile = profileOf([]);
    expect(profileInContext(profile, [], now, 0)).toBe(profile);
  });
});
