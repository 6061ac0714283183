import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventTypes, type Interaction } from "../../shared/contracts/event.ts";
import { applyInteraction, choicesBefore, isFirstInteraction } from "./apply-interaction.ts";
import { decodeProfile, encodeProfile } from "./codec.ts";
import { emptyProfile, productPairKey, profileLimits } from "./profile.ts";

const start = 1_700_000_000;

const interaction = (productId: string, time: number, more: Partial<Interaction> = {}): Interaction => ({
  eventId: `${productId}-${time}`,
  type: "purchase",
  productId,
  time,
  recommendationId: null,
  location: null,
  facts: { cell: "c", lat: 59.9, lon: 10.7, category: "cafe", price: 10 },
  ...more,
});

const anyInteraction = fc
  .record({
    product: fc.nat(30),
    minutes: fc.integer({ min: 0, max: 200_000 }),
    type: fc.constantFrom(...eventTypes),
  })
  .map(({ product, minutes, type }) => interaction(`p${product}`, start + minutes * 60, { type }));

describe("applyInteraction", () => {
  it("keeps a profile within its limits after many interactions", () => {
    const profile = emptyProfile();
    for (let i = 0; i < 3000; i++)
      applyInteraction(
        profile,
        interaction(`p${i}`, start + i, {
          facts: { cell: "c", lat: (i % 80) / 2, lon: i / 20, category: `k${i % 300}`, price: i },
        }),
        0,
      );
    expect(profile.events).toBe(3000);
    expect(profile.recent).toHaveLength(profileLimits.recent);
    expect(profile.products.size).toBeLessThanOrEqual(profileLimits.products);
    expect(profile.categories.size).toBeLessThanOrEqual(profileLimits.categories);
    expect(profile.places.size).toBeLessThanOrEqual(profileLimits.places);
    expect(profile.transitions.size).toBeLessThanOrEqual(profileLimits.transitions);
    expect(profile.products.has("p2999")).toBe(true);
  });

  it("gives the same counts for any order of interactions", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyInteraction, { selector: (each) => each.eventId, maxLength: 40 }),
        (events) => {
          const sorted = emptyProfile();
          const unsorted = emptyProfile();
          for (const each of [...events].sort((a, b) => a.time - b.time)) applyInteraction(sorted, each, 0);
          for (const each of events) applyInteraction(unsorted, each, 0);
          expect(unsorted.recent.map((each) => each.time)).toEqual(sorted.recent.map((each) => each.time));
          for (const [id, stats] of sorted.products) {
            expect(unsorted.products.get(id)?.counts).toEqual(stats.counts);
            expect(unsorted.products.get(id)?.times).toEqual(stats.times);
          }
          for (const [name, stats] of sorted.categories)
            expect(unsorted.categories.get(name)?.decayed[0]).toBeCloseTo(stats.decayed[0], 9);
          expect(unsorted.hours).toEqual(sorted.hours);
        },
      ),
    );
  });

  it("counts transitions between choices, not from dismissals", () => {
    const profile = emptyProfile();
    applyInteraction(profile, interaction("a", start), 0);
    applyInteraction(profile, interaction("x", start + 1, { type: "dismiss" }), 0);
    expect(isFirstInteraction(profile, "b")).toBe(true);
    applyInteraction(profile, interaction("b", start + 2), 0);
    expect(isFirstInteraction(profile, "b")).toBe(false);
    expect(profile.transitions.get(productPairKey("a", "b"))?.count).toBe(1);
    expect(choicesBefore(profile, start + 10).map((each) => each.productId)).toEqual(["a", "b"]);
  });
});

describe("decodeProfile", () => {
  it("returns the profile that encodeProfile encoded", () => {
    fc.assert(
      fc.property(fc.array(anyInteraction, { maxLength: 30 }), (events) => {
        const profile = emptyProfile();
        for (const each of events) applyInteraction(profile, each, 3600);
        expect(decodeProfile(encodeProfile(profile))).toEqual(profile);
      }),
    );
  });
});
