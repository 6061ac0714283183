import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { identifier } from "../../../shared/contracts/primitives.ts";
import { newRecommendationId, objectIdOf } from "./recommendation-id.ts";

describe("recommendationId", () => {
  it("leads back to its object, is an identifier, and is new each time", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const object = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        const id = newRecommendationId(object);
        expect(identifier.safeParse(id).success).toBe(true);
        expect(objectIdOf(id)).toBe(object);
        expect(newRecommendationId(object)).not.toBe(id);
      }),
    );
  });

  it("does not take anything else for one", () => {
    for (const wrong of ["", "x", "a.b", `${"a".repeat(43)}.short`, `${"!".repeat(43)}.${"a".repeat(12)}`])
      expect(objectIdOf(wrong)).toBeNull();
  });
});
