import { expect, it } from "vitest";
import { day, makeInteraction, now, profileOf } from "../features/testing.ts";
import { expressionUserOf } from "./expression-user.ts";

it("tells the choices of a user, and the category of most of them", () => {
  const profile = profileOf([
    makeInteraction("a", now, { category: "bar" }),
    makeInteraction("b", now, { category: "cafe" }),
    makeInteraction("c", now, { category: "cafe", type: "view" }),
    makeInteraction("d", now, { category: "bar", type: "dismiss" }),
  ]);
  profile.activity = { ...profile.activity, since: now - day, days: 2 };
  expect(expressionUserOf(profile)).toEqual({
    ...{ choices: 3, favoriteCategory: "cafe", activeDays: 2, since: now - day },
  });
});

it("knows no category of a user without choices, and the first by name of two", () => {
  expect(expressionUserOf(profileOf([])).favoriteCategory).toBeNull();
  const two = ["cafe", "bar"].map((category) => makeInteraction(category, now, { category }));
  expect(expressionUserOf(profileOf(two)).favoriteCategory).toBe("bar");
  expect(expressionUserOf(profileOf(two.reverse())).favoriteCategory).toBe("bar");
});
