import { describe, expect, it } from "vitest";
import { recommendationInput } from "../../../shared/contracts/recommendation.ts";
import { mergeScenario } from "./resolve-scenario.ts";

describe("mergeScenario", () => {
  it("lets fields of the request win, merges objects field by field, and joins exclusions", () => {
    const settings = {
      limit: 3,
      filter: { radiusKm: 5, discountMin: 0.1 },
      boost: { Tea: 2 },
      exclude: ["a", "b"],
    };
    const input = recommendationInput.parse({
      userId: "ann",
      filter: { radiusKm: 2 },
      boost: { Coffee: 3 },
      exclude: ["b", "c"],
      diversity: 0.5,
    });
    expect(mergeScenario(settings, input)).toEqual({
      userId: "ann",
      explain: false,
      limit: 3,
      filter: { radiusKm: 2, discountMin: 0.1 },
      boost: { Tea: 2, Coffee: 3 },
      exclude: ["a", "b", "c"],
      diversity: 0.5,
    });
  });
});
