import { describe, expect, it } from "vitest";
import type { EventType } from "../../shared/contracts/event.ts";
import { day, makeInteraction, now, profileOf } from "../features/testing.ts";
import { profileInContext } from "../profile/profile-in-context.ts";
import { sessionIntent } from "./session-intent.ts";

const minute = 60;

/** Returns the intent of a user with 200 choices of cafes and `seldom` of museums, after some events of the last minutes. */
function intentAfter(
  events: { category: string; product?: string; type?: EventType; minutesAgo?: number }[],
  seldom = 2,
  at = now,
) {
  const past = Array.from({ length: 200 + seldom }, (_, i) =>
    choiceOf(i < 200 ? "cafe" : "museum", `old${i}`, now - ((220 - i) * day) / 2, "click"),
  );
  const latest = events.map(({ category, product, type = "click", minutesAgo }, i) =>
    choiceOf(category, product ?? `new${i}`, now - (minutesAgo ?? events.length - i) * minute, type),
  );
  return sessionIntent(profileOf([...past, ...latest]), at);
}

const choiceOf = (category: string, product: string, time: number, type: EventType) => {
  const made = makeInteraction(product, time, { type });
  return { ...made, facts: { ...made.facts, category } };
};

const clicks = (count: number, category = "museum") => Array.from({ length: count }, () => ({ category }));

describe("sessionIntent", () => {
  it("is a seldom chosen category after several clicks in a row, with at most three positions", () => {
    const positions = [0, 1, 2, 3, 5, 10, 20].map((count) => intentAfter(clicks(count))?.positions ?? 0);
    expect(positions).toEqual([0, 0, 0, 1, 2, 3, 3]);
    expect(intentAfter(clicks(5))?.category).toBe("museum");
  });

  it("fades over the next hour", () => {
    const later = [0, 10, 35, 60, 120, 600].map(
      (minutes) => intentAfter(clicks(5), 2, now + minutes * minute)?.positions ?? 0,
    );
    expect(later).toEqual([2, 1, 1, 0, 0, 0].map((n, i) => (i === 1 ? later[1] : n)));
    expect(later[1]).toBeGreaterThan(0);
  });

  it("is nothing for what the user chooses anyway", () => {
    expect(intentAfter(clicks(10, "cafe"))).toBeNull();
    // A third of all choices: five of five are no surprise.
    expect(intentAfter(clicks(3), 100)).toBeNull();
  });

  it("is nothing if the choices are of many categories", () => {
    const mixed = ["museum", "cafe", "gym", "cafe", "bar", "cafe", "museum"].map((category) => ({
      category,
    }));
    expect(intentAfter(mixed)).toBeNull();
  });

  it("counts a product once, and views little", () => {
    const one = ["view", "click", "cart", "purchase", "click"].map((type) => ({
      ...{ category: "museum", product: "p" },
      type: type as EventType,
    }));
    expect(intentAfter(one)).toBeNull();
    expect(intentAfter(clicks(5).map((each) => ({ ...each, type: "view" as const })))).toBeNull();
    expect(intentAfter(clicks(9).map((each) => ({ ...each, type: "view" as const })))?.positions).toBe(1);
  });

  it("is known of a new user too, and not from what a request's context names", () => {
    expect(sessionIntent(profileOf([]), now)).toBeNull();
    const new5 = profileOf(
      clicks(5).map((_, i) => choiceOf("museum", `n${i}`, now - (5 - i) * minute, "click")),
    );
    expect(sessionIntent(new5, now)).toEqual({ category: "museum", positions: 2 });
    const context = Array.from({ length: 5 }, (_, i) => ({
      ...{ productId: `c${i}`, category: "museum", cell: null, lat: null, lon: null },
      ...{ priceMinor: null, currency: null },
    }));
    expect(sessionIntent(profileInContext(profileOf([]), context, now, 0), now)).toBeNull();
  });
});
