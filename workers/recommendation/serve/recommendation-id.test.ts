import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainId } from "../../../shared/contracts/primitives.ts";
import { newRecommendationId, objectIdOf } from "./recommendation-id.ts";

describe("newRecommendationId", () => {
  it("returns a new identifier each time, from which objectIdOf reads the object id", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const pseudonym = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        const id = newRecommendationId(pseudonym);
        expect(plainId.safeParse(id).success).toBe(true);
        expect(objectIdOf(id)).toBe(pseudonym);
        expect(newRecommendationId(pseudonym)).not.toBe(id);
      }),
    );
  });

  it("is the only format that objectIdOf accepts", () => {
    for (const wrong of ["", "x", "a.b", `${"a".repeat(43)}.short`, `${"!".repeat(43)}.${"a".repeat(12)}`])
      expect(objectIdOf(wrong)).toBeNull();
  });
});
