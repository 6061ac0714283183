import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyInteraction } from "../profile/apply-interaction.ts";
import { emptyProfile, profileLimits } from "../profile/profile.ts";
import { choiceOrderOf, type OrderStats } from "./choice-order.ts";
import { choiceSequenceOf, maxSequence } from "./choice-sequence.ts";
import { day, hour, makeInteraction, now, profileOf } from "./testing.ts";

/** Returns the profile of a user who purchased these products in this order, `gap` seconds apart, the last one at `now`. */
const chosen = (ids: string, gap = 60) =>
  profileOf([...ids].map((id, i) => makeInteraction(id, now - (ids.length - 1 - i) * gap)));

const orderOf = (ids: string, gap = 60, localNow = now + 60) => {
  const table = choiceOrderOf(chosen(ids, gap), localNow);
  return (id: string): OrderStats => table.ofProduct(id) as OrderStats;
};

const sequenceText = (profile = emptyProfile()): string => {
  const { products, productIds } = choiceSequenceOf(profile);
  return [...products].map((product) => productIds[product]).join("");
};

describe("choiceSequenceOf", () => {
  it("is the order of all choices, in whatever order they came", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(..."abcde"), { maxLength: 60 }),
        fc.infiniteStream(fc.nat(1000)),
        (ids, draws) => {
          const shuffled = ids
            .map((id, i) => ({ id, i, draw: draws.next().value as number }))
            .sort((a, b) => a.draw - b.draw);
          const profile = profileOf(shuffled.map(({ id, i }) => makeInteraction(id, now + i)));
          expect(sequenceText(profile)).toBe(ids.join(""));
        },
      ),
    );
  });

  it("has the first step of an episode only, and each choice of a user whose choices have one type", () => {
    const steps = (["view", "click", "purchase"] as const).map((type, i) =>
      makeInteraction("a", now + 60 * i, { type }),
    );
    const later = [
      makeInteraction("b", now + 300, { type: "view" }),
      makeInteraction("a", now + day, { type: "view" }),
    ];
    expect(sequenceText(profileOf([...steps, ...later]))).toBe("aba");
    expect(sequenceText(chosen("aaab"))).toBe("aaab");
  });

  it("is bounded by the newest choices", () => {
    const profile = emptyProfile();
    for (let i = 0; i < 2000; i++) applyInteraction(profile, makeInteraction(`p${i % 100}`, now + i), 0);
    const { products, productIds } = choiceSequenceOf(profile);
    expect(products).toHaveLength(maxSequence);
    expect(productIds[products[maxSequence - 1]]).toBe("p99");
    expect(profileLimits.products).toBeLessThanOrEqual(1024);
  });
});

describe("choiceOrderOf", () => {
  it("counts choices since the last one, and from one to the next", () => {
    const order = orderOf("abacaab");
    expect(order("b")).toMatchObject({ age: 1, meanGap: 5, among10: 2 });
    expect(order("a")).toMatchObject({ age: 2, meanGap: 5 / 3 });
    expect(order("c")).toMatchObject({ age: 4, meanGap: 0 });
    const long = orderOf(`a${"b".repeat(10)}${"c".repeat(10)}`);
    expect(long("a")).toMatchObject({ among10: 0, among30: 1 });
    expect(long("c")).toMatchObject({ among10: 10, among30: 10 });
  });

  it("shares what followed the last product, the last two, and choices like the newest", () => {
    const order = orderOf("abcxbdabca");
    expect(order("b").nextShare).toBeGreaterThan(0.4);
    expect(order("d").nextShare).toBe(0);
    const two = orderOf("abc_xbd_abc_xbd_ab");
    expect(two("c").afterTwoShare).toBeGreaterThan(0.6);
    expect(two("d").afterTwoShare).toBe(0);
    expect(two("d").nextShare).toBeGreaterThan(0.3);
    expect(two("c").contextShare).toBeGreaterThan(two("d").contextShare);
  });

  it("lets a choice count half after a hundred more", () => {
    const nextCount = (fillers: number): number => {
      // A product has the times of its newest choices only: many products fill the sequence.
      const filled = Array.from({ length: fillers }, (_, i) => `x${i}`);
      const ids = ["a", "b", ...filled, "a"];
      const profile = profileOf(ids.map((id, i) => makeInteraction(id, now + i)));
      return choiceOrderOf(profile, now + 1000).ofProduct("b")?.nextCount ?? Number.NaN;
    };
    expect(nextCount(150) / nextCount(50)).toBeCloseTo(0.5, 5);
  });

  it("knows the present session, and how sessions begin", () => {
    const profile = profileOf([
      ...["a", "b"].map((id, i) => makeInteraction(id, now - 2 * day + 60 * i)),
      ...["a", "c"].map((id, i) => makeInteraction(id, now - day + 60 * i)),
      ...["d", "c"].map((id, i) => makeInteraction(id, now + 60 * i)),
    ]);
    const during = choiceOrderOf(profile, now + hour);
    expect(during.ofProduct("c")).toMatchObject({ inSession: 1, startShare: 0 });
    expect(during.ofProduct("a")).toMatchObject({ inSession: 0, startShare: 0 });
    const next = choiceOrderOf(profile, now + day);
    expect(next.ofProduct("c")?.inSession).toBe(0);
    expect(next.ofProduct("a")?.startShare).toBeGreaterThan(next.ofProduct("d")?.startShare ?? 1);
    expect(next.ofProduct("b")?.startShare).toBe(0);
  });

  it("depends on the order alone while no pause begins a session", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(..."abcd"), { minLength: 1, maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 5 * hour }), { minLength: 40, maxLength: 40 }),
        (ids, gaps) => {
          const times = ids.map((_, i) => now + gaps.slice(0, i + 1).reduce((sum, gap) => sum + gap, 0));
          const uneven = profileOf(ids.map((id, i) => makeInteraction(id, times[i])));
          const byUneven = choiceOrderOf(uneven, times[ids.length - 1] + 1);
          const byEven = choiceOrderOf(chosen(ids.join("")), now + 60);
          for (const id of new Set(ids)) expect(byUneven.ofProduct(id)).toEqual(byEven.ofProduct(id));
        },
      ),
    );
  });

  it("has shares from 0 to 1, of which no kind sums to more than 1", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(..."abcdef"), { maxLength: 200 }), (ids) => {
        const all = choiceOrderOf(chosen(ids.join(""), 3 * hour), now + day).values();
        for (const share of ["startShare", "nextShare", "afterTwoShare", "contextShare"] as const) {
          for (const each of all) expect(each[share]).toBeGreaterThanOrEqual(0);
          expect(all.reduce((sum, each) => sum + each[share], 0)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
