import { describe, expect, it } from "vitest";
import { applyInteraction } from "./apply-interaction.ts";
import { mergeProfiles } from "./merge-profiles.ts";
import { emptyProfile, profileLimits, type UserProfile } from "./profile.ts";
import { lookHalfLifeDays, lookSeconds, looksAt, noteShown, seenPositions } from "./shown-products.ts";
import { interaction } from "./testing/interaction.ts";

const start = 1_800_000_000;
const day = 86_400;
const ids = Array.from({ length: 30 }, (_, i) => `p${i}`);

/** Returns the looks at a product, or 0. */
const looks = ({ shown }: UserProfile, id: string, now: number): number => {
  const each = shown.get(id);
  return each ? looksAt(each, now) : 0;
};

/** Returns the profile of a user to whom a list was shown at some times. */
function shownAt(times: readonly number[], list: readonly string[] = ids): UserProfile {
  const profile = emptyProfile();
  for (const time of times) noteShown(profile, list, time);
  return profile;
}

describe("noteShown", () => {
  it("counts the first positions of a page only", () => {
    const profile = shownAt([start]);
    expect([...profile.shown.keys()]).toEqual(ids.slice(0, seenPositions));
    expect(profile.shownUntil).toBe(start);
  });

  it("counts lists within half an hour as one look, which tells nothing before it is over", () => {
    const profile = shownAt([start, start + 60, start + lookSeconds - 1]);
    expect(looks(profile, "p0", start + lookSeconds - 1)).toBe(0);
    expect(looks(profile, "p0", start + lookSeconds)).toBeCloseTo(1, 2);
  });

  it("a list asked again within a look knows exactly what the first one knew", () => {
    const profile = shownAt([start, start + 2 * day]);
    const now = start + 5 * day;
    const before = looks(profile, "p0", now);
    noteShown(profile, ids, now);
    // Looks are kept in hundredths.
    expect(Math.abs(looks(profile, "p0", now) - before)).toBeLessThanOrEqual(0.005);
  });

  it("adds up looks, which halve in two weeks", () => {
    const profile = shownAt([0, 1, 2, 3].map((n) => start + n * day));
    const last = start + 3 * day;
    expect(looks(profile, "p0", last + day)).toBeGreaterThan(3);
    const later = looks(profile, "p0", last + day);
    expect(looks(profile, "p0", last + (1 + lookHalfLifeDays) * day)).toBeCloseTo(later / 2, 9);
  });

  it("keeps a bounded number of products, those of the newest lists", () => {
    const profile = emptyProfile();
    for (let n = 0; n < 60; n++)
      noteShown(
        profile,
        Array.from({ length: 10 }, (_, i) => `p${n * 10 + i}`),
        start + n * day,
      );
    expect(profile.shown.size).toBe(profileLimits.shown);
    expect(profile.shown.has("p599")).toBe(true);
    expect(profile.shown.has(`p${600 - profileLimits.shown - 1}`)).toBe(false);
  });

  it("forgets what the user chooses or dismisses, in whatever order lists and events arrive", () => {
    for (const type of ["view", "purchase", "dismiss"] as const) {
      const listFirst = shownAt([start]);
      applyInteraction(listFirst, interaction("p1", start + 60, { type }), 0);
      const eventFirst = emptyProfile();
      applyInteraction(eventFirst, interaction("p1", start + 60, { type }), 0);
      noteShown(eventFirst, ids, start);
      for (const profile of [listFirst, eventFirst]) {
        expect(profile.shown.has("p1")).toBe(false);
        expect(profile.shown.has("p2")).toBe(true);
        noteShown(profile, ids, start + day);
        expect(profile.shown.get("p1")?.looks).toBe(1);
      }
      expect(listFirst.shown).toEqual(eventFirst.shown);
    }
  });

  it("does not forget for an event from before the last list, such as imported history", () => {
    const profile = shownAt([start]);
    applyInteraction(profile, interaction("p1", start - day), 0);
    expect(profile.shown.has("p1")).toBe(true);
  });
});

describe("looks of two merged users", () => {
  it("add up, without products that one of them chose since", () => {
    const into = shownAt([start], ["a", "b", "c"]);
    const from = shownAt([start + day], ["b", "c", "d"]);
    applyInteraction(into, interaction("c", start + 2 * day), 0);
    const { shown, shownUntil } = mergeProfiles(into, from);
    expect([...shown.keys()]).toEqual(["a", "b", "d"]);
    expect(shown.get("b")).toEqual({ looks: 1.95, last: start + day });
    expect(shownUntil).toBe(start + day);
  });
});
