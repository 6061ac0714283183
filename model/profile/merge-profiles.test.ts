import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventTypes, type Interaction } from "../../shared/contracts/event.ts";
import { applyInteraction } from "./apply-interaction.ts";
import { decodeProfile, encodeProfile } from "./codec.ts";
import type { CountedChoices } from "./counted-choices.ts";
import { mergeProfiles } from "./merge-profiles.ts";
import { emptyProfile, profileLimits, type UserProfile } from "./profile.ts";
import { interaction } from "./testing/interaction.ts";

const start = 1_700_000_000;

const anyInteraction = fc
  .record({
    product: fc.nat(30),
    minutes: fc.integer({ min: 0, max: 200_000 }),
    type: fc.constantFrom(...eventTypes),
    place: fc.nat(5),
    isMoving: fc.boolean(),
  })
  .map(({ product, minutes, type, place, isMoving }) =>
    interaction(`p${product}`, start + minutes * 60, {
      type,
      location: isMoving ? { lat: 59 + place, lon: 10 } : null,
      facts: {
        cell: `c${product % 4}`,
        ...{ lat: 59 + (product % 4), lon: 10 },
        category: `k${product % 6}`,
        priceMinor: 100 * (product + 1),
        currency: product % 2 === 0 ? "EUR" : "NOK",
      },
    }),
  );
const anyEvents = fc.uniqueArray(anyInteraction, { selector: (each) => each.eventId, maxLength: 40 });

function profileOf(events: readonly Interaction[]): UserProfile {
  const profile = emptyProfile();
  for (const each of events) applyInteraction(profile, each, 0);
  return profile;
}

/** Returns a map without the fields that depend on what came directly before an event. */
const withoutTransitions = <V extends { transitions?: number }>(map: Map<string, V>) =>
  new Map([...map].map(([key, { transitions: _, ...rest }]) => [key, rest]));

/** Returns the values of a map as numbers that may differ by rounding, by key and field. */
const sums = (map: Map<string, object>) =>
  Object.fromEntries(
    [...map].flatMap(([key, entry]) =>
      Object.entries(entry).flatMap(([field, value]) =>
        [value].flat().flatMap((n, i) => (typeof n === "number" ? [[`${key} ${field} ${i}`, n]] : [])),
      ),
    ),
  ) as Record<string, number>;

function expectClose(actual: Record<string, number>, expected: Record<string, number>): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [key, n] of Object.entries(expected)) expect(actual[key], key).toBeCloseTo(n, 6);
}

describe("mergeProfiles", () => {
  it("gives the profile of one user who did all that both did", () => {
    fc.assert(
      fc.property(
        anyEvents,
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        (events, isOfFirst) => {
          const merged = mergeProfiles(
            profileOf(events.filter((_, i) => isOfFirst[i])),
            profileOf(events.filter((_, i) => !isOfFirst[i])),
          );
          const single = profileOf(events);
          expect([merged.events, merged.choices]).toEqual([single.events, single.choices]);
          expect(merged.recent.map(({ time }) => time)).toEqual(single.recent.map(({ time }) => time));
          expect(withoutTransitions(merged.products)).toEqual(withoutTransitions(single.products));
          expect(merged.purchased).toEqual(single.purchased);
          expect(merged.dismissed).toEqual(single.dismissed);
          expect([merged.hours, merged.weekdays]).toEqual([single.hours, single.weekdays]);
          expectClose(sums(merged.categories), sums(single.categories));
          expectClose(sums(merged.places), sums(single.places));
          expect(merged.location?.time).toBe(single.location?.time);
          for (const [currency, { count, logs }] of Object.entries(single.prices)) {
            expect(merged.prices[currency].count).toBe(count);
            expect(merged.prices[currency].logs).toBeCloseTo(logs, 6);
          }
        },
      ),
    );
  });

  it("changes nothing if one of the two is empty, and changes neither argument", () => {
    fc.assert(
      fc.property(anyEvents, anyEvents, (ours, theirs) => {
        const [into, from] = [profileOf(ours), profileOf(theirs)];
        const before = [into, from].map(encodeProfile);
        expect(mergeProfiles(into, emptyProfile())).toEqual(into);
        expect(mergeProfiles(emptyProfile(), from)).toEqual(from);
        const merged = mergeProfiles(into, from);
        merged.products.clear();
        for (const each of merged.recent) each.time = 0;
        for (const each of merged.categories.values()) each.hours.fill(9);
        expect([into, from].map(encodeProfile)).toEqual(before);
      }),
    );
  });

  it("stays within the limits, and keeps what is newest and most frequent", () => {
    const manyEvents = (prefix: string, from: number) =>
      profileOf(
        Array.from({ length: 1500 }, (_, i) =>
          interaction(`${prefix}${i}`, from + i * 600, {
            type: (["purchase", "dismiss", "view"] as const)[i % 3],
            facts: {
              cell: "c",
              ...{ lat: (i % 80) / 2, lon: i / 20 },
              category: `${prefix}${i % 200}`,
              priceMinor: 1 + i,
              currency: `${prefix}${i % 7}`,
            },
          }),
        ),
      );
    const merged = mergeProfiles(manyEvents("a", start), manyEvents("b", start + 2 * 365 * 86_400));
    expect(merged.recent).toHaveLength(profileLimits.recent);
    for (const name of ["products", "dismissed", "purchased", "categories", "places", "transitions"] as const)
      expect(merged[name].size, name).toBeLessThanOrEqual(profileLimits[name]);
    expect(Object.keys(merged.prices).length).toBeLessThanOrEqual(profileLimits.currencies);
    expect(merged.events).toBe(3000);
    expect([...merged.products.keys()].every((id) => id.startsWith("b"))).toBe(true);
    expect(decodeProfile(encodeProfile(merged), merged.precision)).toEqual(merged);
  });

  it("keeps home, precision and settings of the user that stays, and the newer location", () => {
    const into: UserProfile = {
      ...emptyProfile(),
      home: { lat: 1, lon: 2 },
      precision: "city",
      settingsVersion: 4,
      location: { lat: 1, lon: 2, time: start },
      unconfirmedLocation: { lat: 50, lon: 2, time: start },
    };
    const from: UserProfile = {
      ...emptyProfile(),
      home: { lat: 8, lon: 9 },
      settingsVersion: 9,
      location: { lat: 3, lon: 4, time: start + 60 },
    };
    expect(mergeProfiles(into, from)).toMatchObject({
      home: { lat: 1, lon: 2 },
      precision: "city",
      settingsVersion: 4,
      location: { lat: 3, lon: 4 },
      unconfirmedLocation: null,
    });
    expect(mergeProfiles(from, into).location).toEqual(from.location);
  });

  it("adds up what counted for others, and makes nobody older", () => {
    const counted = (choices: CountedChoices) => {
      const profile = profileOf([interaction("p", start)]);
      const stats = profile.products.get("p");
      if (stats) stats.counted = choices;
      return profile;
    };
    const activity = { days: 3, lastDay: 20_000, hour: 480_000, events: 7, locations: 1 };
    const into = { ...counted({ view: [1, 5], purchase: [2, 9] }), activity: { ...activity, since: null } };
    const from = {
      ...counted({ view: [2, 4], click: [1, 6] }),
      activity: { ...activity, since: start, days: 2, events: 5 },
    };
    const merged = mergeProfiles(into, from);
    expect(merged.products.get("p")?.counted).toEqual({ view: [3, 5], click: [1, 6], purchase: [2, 9] });
    expect(merged.activity).toEqual({ ...activity, since: start, events: 12, locations: 2 });
    const later = { ...from, activity: { ...from.activity, hour: 480_001 } };
    expect(mergeProfiles(into, later).activity).toMatchObject({ hour: 480_001, events: 5 });
    expect(mergeProfiles(profileOf([interaction("p", start)]), counted({ view: [1, 1] }))).toMatchObject({
      products: new Map([["p", expect.objectContaining({ counted: { view: [1, 1] } })]]),
    });
  });

  it("ends a dismissal by a click that the other user made", () => {
    const dismissed = profileOf([interaction("p", start, { type: "dismiss" })]);
    const clicked = profileOf([interaction("p", start + 60, { type: "click" })]);
    for (const merged of [mergeProfiles(dismissed, clicked), mergeProfiles(clicked, dismissed)])
      expect(merged.dismissed.get("p")).toEqual({ count: 1, last: start, lastDeliberate: start + 60 });
  });
});
