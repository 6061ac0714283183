import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventTypes, type Interaction } from "../../shared/contracts/event.ts";
import { applyInteraction, choicesBefore, hasNotChosen } from "./apply-interaction.ts";
import { emptyProfile, productPairKey, profileLimits } from "./profile.ts";
import { interaction } from "./testing/interaction.ts";

const start = 1_700_000_000;

const purchase = (productId: string, time: number, more: Partial<Interaction> = {}): Interaction =>
  interaction(productId, time, { type: "purchase", ...more });

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
        purchase(`p${i}`, start + i, {
          facts: {
            cell: "c",
            lat: (i % 80) / 2,
            lon: i / 20,
            category: `k${i % 300}`,
            priceMinor: i,
            currency: `C${i % 20}`,
          },
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
          expect(new Map(unsorted.dismissed)).toEqual(new Map(sorted.dismissed));
          expect(new Map(unsorted.purchased)).toEqual(new Map(sorted.purchased));
        },
      ),
    );
  });

  it("L3: sums up prices by currency, and keeps the currencies of the most prices", () => {
    const profile = emptyProfile();
    const add = (priceMinor: number | null, currency: string | null, i: number): void =>
      applyInteraction(
        profile,
        purchase(`p${i}`, start + i, {
          facts: { cell: "c", lat: null, lon: null, category: "cafe", priceMinor, currency },
        }),
        0,
      );
    add(1000, "EUR", 1);
    add(4000, "EUR", 2);
    add(500, "JPY", 3);
    add(700, null, 4);
    add(null, "EUR", 5);
    add(0, "EUR", 6);
    const expected = {
      EUR: { logs: Math.log(1000) + Math.log(4000), count: 2 },
      JPY: { logs: Math.log(500), count: 1 },
      "": { logs: Math.log(700), count: 1 },
    };
    expect(profile.prices).toEqual(expected);
    expect(profile.categories.get("cafe")?.prices).toEqual(expected);
    for (let i = 0; i < 20; i++) add(100, `X${String.fromCharCode(65 + i)}X`, 10 + i);
    expect(Object.keys(profile.prices)).toHaveLength(profileLimits.currencies);
    expect(profile.prices.EUR).toEqual(expected.EUR);
  });

  it("counts transitions between choices, not from dismissals", () => {
    const profile = emptyProfile();
    applyInteraction(profile, purchase("a", start), 0);
    applyInteraction(profile, interaction("x", start + 1, { type: "dismiss" }), 0);
    expect(hasNotChosen(profile, "b")).toBe(true);
    applyInteraction(profile, purchase("b", start + 2), 0);
    expect(hasNotChosen(profile, "b")).toBe(false);
    expect(profile.transitions.get(productPairKey("a", "b"))?.count).toBe(1);
    expect(choicesBefore(profile, start + 10).map((each) => each.productId)).toEqual(["a", "b"]);
  });
});

describe("dismissals and purchases in a profile", () => {
  const of = (events: Interaction[]) => {
    const profile = emptyProfile();
    for (const each of events) applyInteraction(profile, each, 0);
    return profile;
  };

  it("L6: a dismissal is no choice of its product, category, place or time", () => {
    const { location, events, dismissed, categories, ...rest } = of([
      interaction("x", start, { type: "dismiss", location: { lat: 1, lon: 2 } }),
    ]);
    const { location: _, events: __, dismissed: ___, categories: ____, ...empty } = emptyProfile();
    expect(rest).toEqual(empty);
    expect(dismissed.get("x")).toEqual({ count: 1, last: start, lastDeliberate: null });
    expect(categories.get("cafe")).toMatchObject({ choices: 0, dismissals: 1, decayed: [-2, -2] });
    expect({ location, events }).toEqual({ location: { lat: 1, lon: 2, time: start }, events: 1 });
  });

  it("L6: a hundred dismissals push no choice out of the profile", () => {
    const profile = of([
      purchase("kept", start),
      ...Array.from({ length: 700 }, (_, i) => interaction(`x${i}`, start + 1 + i, { type: "dismiss" })),
    ]);
    expect(choicesBefore(profile, start + 1000).map(({ productId }) => productId)).toEqual(["kept"]);
    expect([...profile.products.keys()]).toEqual(["kept"]);
    expect(profile.dismissed.size).toBe(profileLimits.dismissed);
    expect(profile.dismissed.has("x699")).toBe(true);
    expect(profile.dismissed.has("x0")).toBe(false);
  });

  it("L7: keeps the number and the times of purchases, in any order", () => {
    const times = [start + 5, start, start + 9];
    expect(of(times.map((time) => purchase("a", time))).purchased.get("a")).toEqual({
      count: 3,
      first: start,
      last: start + 9,
    });
    expect(of([interaction("a", start, { type: "cart" })]).purchased.size).toBe(0);
  });
});

describe("productPairKey", () => {
  it("E8: is another key for other products, also where ids contain spaces", () => {
    const id = fc.string({ unit: fc.constantFrom("a", " ", ">", "/", ":", "é"), maxLength: 5 });
    fc.assert(
      fc.property(fc.tuple(id, id), fc.tuple(id, id), (one, other) => {
        const equal = one[0] === other[0] && one[1] === other[1];
        expect(productPairKey(...one) === productPairKey(...other)).toBe(equal);
      }),
    );
  });
});
