import { describe, expect, it } from "vitest";
import type { EventType } from "../../shared/contracts/event.ts";
import { day, makeInteraction, now, profileOf } from "../features/testing.ts";
import { rejectedCategories } from "./rejected-categories.ts";

/** Returns the factor of the category of these events, each a type and an age in days. */
const factorAfter = (...events: [EventType, number][]): number | undefined =>
  rejectedCategories(
    profileOf(
      events.map(([type, days], i) =>
        makeInteraction(`p${i}`, now - days * day, { type, category: "books" }),
      ),
    ),
    now,
  ).get("books");

describe("rejectedCategories", () => {
  it("L6: lowers a category with each dismissal, less as the dismissals decay", () => {
    expect(factorAfter(["dismiss", 0])).toBeCloseTo(1 / Math.sqrt(3), 9);
    expect(factorAfter(["dismiss", 0], ["dismiss", 0])).toBeCloseTo(1 / Math.sqrt(5), 9);
    expect(factorAfter(["dismiss", 30])).toBeCloseTo(1 / Math.sqrt(2), 9);
    expect(factorAfter(["dismiss", 200])).toBeUndefined();
  });

  it("L6: lowers a category less the more the user chose in it, and none without dismissals", () => {
    expect(factorAfter(["view", 0], ["dismiss", 0])).toBeCloseTo(Math.sqrt(2 / 4), 9);
    expect(factorAfter(["view", 0], ["click", 0], ["cart", 0], ["dismiss", 0])).toBeCloseTo(
      Math.sqrt(4 / 6),
      9,
    );
    expect(factorAfter(["view", 0])).toBeUndefined();
  });
});
