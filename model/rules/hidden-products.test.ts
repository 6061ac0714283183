import { describe, expect, it } from "vitest";
import type { EventType } from "../../shared/contracts/event.ts";
import { day, makeInteraction, now, profileOf } from "../features/testing.ts";
import { defaultHistoryRules, type HistoryRules, hiddenProducts } from "./hidden-products.ts";

/** Returns the hidden products of a user with these events, each a type and an age in days. */
const hidden = (events: [EventType, number][], rules: Partial<HistoryRules> = {}): string[] => [
  ...hiddenProducts(
    profileOf(events.map(([type, days]) => makeInteraction("p", now - days * day, { type }))),
    now,
    { ...defaultHistoryRules, ...rules },
  ),
];

describe("hiddenProducts", () => {
  it("L6: hides a dismissed product for the configured days", () => {
    expect(hidden([["dismiss", 0]])).toEqual(["p"]);
    expect(hidden([["dismiss", 89]])).toEqual(["p"]);
    expect(hidden([["dismiss", 90]])).toEqual([]);
    expect(hidden([["dismiss", 200]])).toEqual([]);
    expect(hidden([["dismiss", 9]], { dismissedDays: 7 })).toEqual([]);
    expect(hidden([["dismiss", 0]], { dismissedDays: 0 })).toEqual([]);
  });

  it("L6: counts the days from the newest dismissal", () => {
    const old = ["dismiss", 100] satisfies [EventType, number];
    expect(hidden([old, ["dismiss", 10], ["dismiss", 120]])).toEqual(["p"]);
  });

  it("L6: shows a product again that was clicked, carted or purchased after the dismissal", () => {
    for (const type of ["click", "cart", "purchase"] as const) {
      expect(
        hidden([
          ["dismiss", 3],
          [type, 2],
        ]),
        type,
      ).toEqual([]);
      // The order in which the events arrive does not matter.
      expect(
        hidden([
          [type, 2],
          ["dismiss", 3],
        ]),
        type,
      ).toEqual([]);
      expect(
        hidden([
          [type, 3],
          ["dismiss", 2],
        ]),
        type,
      ).toEqual(["p"]);
      expect(
        hidden([
          ["dismiss", 3],
          [type, 2],
          ["dismiss", 1],
        ]),
        type,
      ).toEqual(["p"]);
    }
    expect(
      hidden([
        ["dismiss", 3],
        ["view", 2],
      ]),
    ).toEqual(["p"]);
  });

  it("L7: hides a purchased product only by the rule `hide`, for the configured days", () => {
    for (const purchased of ["auto", "fade", "keep"] as const)
      expect(hidden([["purchase", 1]], { purchased })).toEqual([]);
    expect(hidden([["purchase", 1]], { purchased: "hide" })).toEqual(["p"]);
    expect(hidden([["purchase", 30]], { purchased: "hide" })).toEqual([]);
    expect(hidden([["purchase", 1]], { purchased: "hide", purchasedDays: 0 })).toEqual([]);
    expect(hidden([["cart", 1]], { purchased: "hide" })).toEqual([]);
  });

  it("hides a product that was viewed often enough, until its last choice is old", () => {
    const viewed = { times: 2, days: 7 };
    expect(hidden([["view", 1]], { viewed })).toEqual([]);
    const twice: [EventType, number][] = [
      ["view", 9],
      ["view", 1],
    ];
    expect(hidden(twice, { viewed })).toEqual(["p"]);
    expect(hidden(twice)).toEqual([]);
    expect(hidden(twice, { viewed: { times: 2, days: 1 } })).toEqual([]);
    expect(hidden(twice, { viewed: { times: 3, days: 7 } })).toEqual([]);
    expect(
      hidden(
        [
          ["view", 9],
          ["click", 1],
        ],
        { viewed },
      ),
    ).toEqual([]);
  });
});
