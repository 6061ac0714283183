import { describe, expect, it } from "vitest";
import { makeInteraction, now, profileOf } from "../features/testing.ts";
import { categoryAffinities } from "./category-affinities.ts";

const choose = (category: string, product: string) => {
  const made = makeInteraction(product, now);
  return { ...made, facts: { ...made.facts, category } };
};
const profile = profileOf([
  choose("cafe", "a"),
  choose("cafe", "b"),
  choose("cafe", "c"),
  choose("gym", "d"),
]);

describe("categoryAffinities", () => {
  it("are the user's choices by category, and of a wanted one as many as of the one they choose most", () => {
    const cafe = { name: "cafe", choices: 3 };
    expect(categoryAffinities(profile)).toEqual([cafe, { name: "gym", choices: 1 }]);
    expect(categoryAffinities(profile, "gym")).toEqual([cafe, { name: "gym", choices: 3 }]);
    expect(categoryAffinities(profile, "museum")).toEqual([cafe, { name: "gym", choices: 1 }]);
  });
});
