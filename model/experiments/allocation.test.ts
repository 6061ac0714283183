import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Arm, armOf } from "./allocation.ts";

const keyOf = (userId: string) => ({ application: "demo", experiment: "e", userId });
const shares = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 2, maxLength: 5 });
const armsOf = (values: readonly number[]): Arm[] => values.map((share, i) => ({ name: `arm${i}`, share }));

describe("armOf", () => {
  it("always returns the same arm for the same user, in any order of the arms", () => {
    fc.assert(
      fc.property(fc.string(), shares, (userId, values) => {
        const arms = armsOf(values);
        const first = armOf(keyOf(userId), arms);
        expect(armOf(keyOf(userId), arms)).toBe(first);
        expect(armOf(keyOf(userId), [...arms].reverse())).toBe(first);
      }),
    );
  });

  it("moves a user only to an arm that grew relative to the user's old arm", () => {
    fc.assert(
      fc.property(fc.uuid(), shares, shares, (userId, before, after) => {
        const [old, now] = [armsOf(before), armsOf(before.map((share, i) => after[i] ?? share))];
        const [from, to] = [armOf(keyOf(userId), old), armOf(keyOf(userId), now)];
        if (from === to) return;
        const growth = (name: string) =>
          (now.find((arm) => arm.name === name)?.share ?? 0) /
          (old.find((arm) => arm.name === name)?.share ?? 1);
        expect(growth(to)).toBeGreaterThan(growth(from));
      }),
      { numRuns: 1000 },
    );
  });

  it("gives each arm its share of the users, and no users to an arm with share 0", () => {
    const arms = [
      { name: "canary", share: 0.1 },
      { name: "control", share: 0.1 },
      { name: "none", share: 0 },
      { name: "rest", share: 0.8 },
    ];
    const counts = new Map<string, number>();
    for (let i = 0; i < 40_000; i++) {
      const arm = armOf(keyOf(`user-${i}`), arms);
      counts.set(arm, (counts.get(arm) ?? 0) + 1);
    }
    expect(counts.has("none")).toBe(false);
    // 0.008 is more than four standard deviations of a share of 0.1 or 0.8 among 40,000 users.
    for (const { name, share } of arms.filter((arm) => arm.share > 0))
      expect(Math.abs((counts.get(name) ?? 0) / 40_000 - share)).toBeLessThan(0.008);
  });

  it("allocates users independently in another experiment and in another application", () => {
    const half = armsOf([1, 1]);
    const both = [0, 0, 0];
    for (let i = 0; i < 10_000; i++) {
      const base = keyOf(`p${i}`);
      const first = armOf(base, half) === "arm0";
      both[0] += first && armOf({ ...base, experiment: "f" }, half) === "arm0" ? 1 : 0;
      both[1] += first && armOf({ ...base, application: "other" }, half) === "arm0" ? 1 : 0;
      both[2] += first ? 1 : 0;
    }
    for (const [i, share] of [0.25, 0.25, 0.5].entries())
      expect(Math.abs(both[i] / 10_000 - share)).toBeLessThan(0.02);
  });

  it("throws if no arm has a share", () => {
    expect(() => armOf(keyOf("x"), [{ name: "a", share: 0 }])).toThrow("share");
  });
});
