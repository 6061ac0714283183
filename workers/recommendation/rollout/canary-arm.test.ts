import { describe, expect, it } from "vitest";
import { canaryArmOf, canaryShareAt } from "./canary-arm.ts";

const settings = { share: 0.1, maxShare: 0.5, doubleSeconds: 100 };

describe("canaryShareAt", () => {
  it("doubles up to the largest share", () => {
    expect([-5, 0, 99, 100, 200, 300, 1e9].map((seconds) => canaryShareAt(seconds, settings))).toEqual([
      0.1, 0.1, 0.1, 0.2, 0.4, 0.5, 0.5,
    ]);
  });

  it("is never below the first share", () => {
    expect(canaryShareAt(0, { ...settings, share: 0.4, maxShare: 0.2 })).toBe(0.4);
  });
});

describe("canaryArmOf", () => {
  it("leaves users in their arm while the share grows", () => {
    for (let i = 0; i < 500; i++) {
      const arms = [0.1, 0.2, 0.4, 0.5].map((share) => canaryArmOf("shop", "v2", `u${i}`, share).arm);
      const first = arms.findIndex((arm) => arm !== "rest");
      expect(new Set(arms.slice(Math.max(first, 0))).size).toBe(1);
    }
  });
});
