import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { freeSlots, slotCount, slotOf, variantOfUser } from "./assignment.ts";

const experiment = {
  run: "layout:1",
  group: "experiment:layout",
  slotFrom: 0,
  slotTo: slotCount,
  variants: [
    { name: "control", share: 3 },
    { name: "diverse", share: 1 },
  ],
};
const userIds = Array.from({ length: 8000 }, (_, i) => `user-${i}`);
const shareOf = (names: (string | null)[], name: string | null) =>
  names.filter((each) => each === name).length / names.length;

describe("variantOfUser", () => {
  it("gives each variant its share, and each user one variant for the whole run", () => {
    const assign = () => userIds.map((userId) => variantOfUser("demo", userId, experiment));
    expect(assign()).toEqual(assign());
    expect(shareOf(assign(), "control")).toBeGreaterThan(0.73);
    expect(shareOf(assign(), "control")).toBeLessThan(0.77);
    expect(shareOf(assign(), null)).toBe(0);
  });

  it("assigns anew in another run, independently of the first", () => {
    const both = userIds.filter(
      (userId) =>
        variantOfUser("demo", userId, experiment) === "diverse" &&
        variantOfUser("demo", userId, { ...experiment, run: "layout:2" }) === "diverse",
    );
    expect(both.length / userIds.length).toBeGreaterThan(0.05);
    expect(both.length / userIds.length).toBeLessThan(0.075);
  });

  it("lets a user take part in one experiment of a group, in as many as the slots say", () => {
    const [first, second] = [
      { ...experiment, group: "checkout", slotTo: 300 },
      { ...experiment, run: "prices:1", group: "checkout", slotFrom: 300, slotTo: 800 },
    ];
    const assigned = userIds.map((userId) => [
      variantOfUser("demo", userId, first),
      variantOfUser("demo", userId, second),
    ]);
    expect(assigned.every((variants) => variants.includes(null))).toBe(true);
    const free = assigned.filter(([a, b]) => a === null && b === null).length / assigned.length;
    expect(free).toBeGreaterThan(0.17);
    expect(free).toBeLessThan(0.23);
    expect(userIds.every((userId) => slotOf("demo", "checkout", userId) < slotCount)).toBe(true);
  });
});

describe("freeSlots", () => {
  it("returns slots of the asked size that no other experiment has, or none", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.001, max: 0.5, noNaN: true }), { maxLength: 12 }), (shares) => {
        const used: { slotFrom: number; slotTo: number }[] = [];
        for (const share of shares) {
          const slots = freeSlots(used, share);
          if (!slots) continue;
          expect(slots.slotTo - slots.slotFrom).toBe(Math.max(1, Math.round(share * slotCount)));
          expect(slots.slotTo).toBeLessThanOrEqual(slotCount);
          for (const other of used)
            expect(slots.slotFrom >= other.slotTo || slots.slotTo <= other.slotFrom).toBe(true);
          used.push(slots);
        }
      }),
    );
    expect(freeSlots([{ slotFrom: 0, slotTo: 600 }], 0.4)).toEqual({ slotFrom: 600, slotTo: 1000 });
    expect(freeSlots([{ slotFrom: 0, slotTo: 600 }], 0.41)).toBeNull();
    expect(freeSlots([{ slotFrom: 500, slotTo: 1000 }], 0.5)).toEqual({ slotFrom: 0, slotTo: 500 });
  });
});
