import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventTypes, type Interaction } from "../../shared/contracts/event.ts";
import { applyInteraction, isFirst, previousChoices } from "./apply.ts";
import { decodeProfile, encodeProfile } from "./codec.ts";
import { bounds, emptyProfile, hourOf, transitionKey, weekdayOf } from "./profile.ts";

const start = 1_700_000_000;

const interaction = (productId: string, time: number, more: Partial<Interaction> = {}): Interaction => ({
  eventId: `${productId}-${time}`,
  type: "purchase",
  productId,
  time,
  recommendationId: null,
  at: null,
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

describe("a person", () => {
  it("stays bounded, whatever happens", () => {
    const person = emptyProfile();
    for (let i = 0; i < 3000; i++)
      applyInteraction(
        person,
        interaction(`p${i}`, start + i, {
          facts: { cell: "c", lat: (i % 80) / 2, lon: i / 20, category: `k${i % 300}`, price: i },
        }),
        0,
      );
    expect(person.events).toBe(3000);
    expect(person.recent).toHaveLength(bounds.recent);
    expect(person.products.size).toBeLessThanOrEqual(bounds.products);
    expect(person.categories.size).toBeLessThanOrEqual(bounds.categories);
    expect(person.places.size).toBeLessThanOrEqual(bounds.places);
    expect(person.transitions.size).toBeLessThanOrEqual(bounds.transitions);
    expect(person.products.has("p2999")).toBe(true);
  });

  it("remembers the same counts in whatever order events come", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyInteraction, { selector: (each) => each.eventId, maxLength: 40 }),
        (events) => {
          const inTime = emptyProfile();
          const asTheyCame = emptyProfile();
          for (const each of [...events].sort((a, b) => a.time - b.time)) applyInteraction(inTime, each, 0);
          for (const each of events) applyInteraction(asTheyCame, each, 0);
          expect(asTheyCame.recent.map((each) => each.time)).toEqual(inTime.recent.map((each) => each.time));
          for (const [id, memory] of inTime.products) {
            expect(asTheyCame.products.get(id)?.counts).toEqual(memory.counts);
            expect(asTheyCame.products.get(id)?.times).toEqual(memory.times);
          }
          for (const [name, memory] of inTime.categories)
            expect(asTheyCame.categories.get(name)?.decayed[0]).toBeCloseTo(memory.decayed[0], 9);
          expect(asTheyCame.hours).toEqual(inTime.hours);
        },
      ),
    );
  });

  it("survives storage without a difference", () => {
    fc.assert(
      fc.property(fc.array(anyInteraction, { maxLength: 30 }), (events) => {
        const person = emptyProfile();
        for (const each of events) applyInteraction(person, each, 3600);
        expect(decodeProfile(encodeProfile(person))).toEqual(person);
      }),
    );
  });

  it("learns steps from choice to choice, not from dismissals", () => {
    const person = emptyProfile();
    applyInteraction(person, interaction("a", start), 0);
    applyInteraction(person, interaction("x", start + 1, { type: "dismiss" }), 0);
    expect(isFirst(person, "b")).toBe(true);
    applyInteraction(person, interaction("b", start + 2), 0);
    expect(isFirst(person, "b")).toBe(false);
    expect(person.transitions.get(transitionKey("a", "b"))?.count).toBe(1);
    expect(previousChoices(person, start + 10).map((each) => each.productId)).toEqual(["a", "b"]);
  });

  it("keeps hours of the place's clock", () => {
    // 2023-11-14 22:13:20 UTC, a Tuesday; in Tokyo already Wednesday morning.
    expect([hourOf(start), weekdayOf(start)]).toEqual([22, 1]);
    expect([hourOf(start + 9 * 3600), weekdayOf(start + 9 * 3600)]).toEqual([7, 2]);
  });
});
