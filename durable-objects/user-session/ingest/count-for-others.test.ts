import { describe, expect, it } from "vitest";
import { withArrival } from "../../../model/profile/activity.ts";
import { applyInteraction } from "../../../model/profile/apply-interaction.ts";
import { decodeProfile, encodeProfile } from "../../../model/profile/codec.ts";
import { emptyProfile, type UserProfile } from "../../../model/profile/profile.ts";
import type { EventType, Interaction } from "../../../shared/contracts/event.ts";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { defaultCounting } from "../../../shared/counting/counting-settings.ts";
import type { CountedEvent } from "../store/counted-event.ts";
import { type Counting, countedEvent, drawOf, networkKeyOf, previousOf } from "./count-for-others.ts";

const start = 1_760_000_000;
const hour = 3600;
const day = 24 * hour;
const stranger = { ...trustedRequester, isVouched: false, tokenIssuedAt: start, network: "net" };
const countingOf = (pseudonym: string, isVouched: boolean): Counting => ({
  requester: isVouched ? trustedRequester : stranger,
  pseudonym,
  settings: defaultCounting,
});
const interaction = (productId: string, time: number, type: EventType = "view"): Interaction => ({
  eventId: `${type}${productId}${time}`,
  type,
  productId,
  time,
  recommendationId: null,
  location: null,
  facts: { cell: "c", lat: null, lon: null, category: null, priceMinor: null, currency: null },
});

/** Counts an event and adds it to the profile, as the user's object does. */
function record(profile: UserProfile, event: Interaction, counting: Counting): CountedEvent {
  const counted = countedEvent(profile, event, counting, event.time);
  applyInteraction(profile, { ...event, counts: counted.counts }, 0);
  profile.activity = withArrival(profile.activity, "events", event.time);
  return counted;
}

/** Returns how many of `users` invented users count for `target` who behave as `events` says. */
function countOf(users: number, events: (user: number) => Interaction[], target: string): number {
  let counted = 0;
  for (let user = 0; user < users; user++) {
    const profile = emptyProfile();
    const counting = countingOf(`stranger${user}`, false);
    const results = events(user).map((event) => ({ event, ...record(profile, event, counting) }));
    if (results.some(({ event, counts }) => counts && event.productId === target)) counted++;
  }
  return counted;
}

describe("countedEvent", () => {
  it("S3: counts no user of one product, and of 1,000 new users with two only about one", () => {
    expect(countOf(1000, () => [interaction("a", start, "purchase")], "a")).toBe(0);
    const two = countOf(1000, () => [interaction("x", start), interaction("a", start + 60, "purchase")], "a");
    expect(two).toBeLessThan(5);
  });

  it("S3: lets a user who behaves like others count after weeks, and then go on counting", () => {
    const visits = (days: number) => () =>
      Array.from({ length: days }, (_, n) =>
        ["x", "y", "a"].map((id, i) => interaction(id, start + n * day + i * 60)),
      ).flat();
    expect(countOf(200, visits(7), "a")).toBeLessThan(10);
    expect(countOf(200, visits(31), "a")).toBe(200);
  });

  it("S4: counts the dismissals of users with a voucher once, of others never", () => {
    const dismissals = (isVouched: boolean) => {
      const profile = emptyProfile();
      const list = Array.from({ length: 80 }, (_, i) => interaction("a", start + i * hour, "dismiss"));
      return list.filter((event) => record(profile, event, countingOf("u", isVouched)).counts).length;
    };
    expect(dismissals(true)).toBe(1);
    expect(dismissals(false)).toBe(0);
  });

  it("bounds what one user counts for a product: 4 hours of each type, then one in 30 days", () => {
    const profile = emptyProfile();
    const hours = Array.from({ length: 24 * 90 }, (_, i) => interaction("a", start + i * hour, "purchase"));
    const counted = hours.filter((event) => record(profile, event, countingOf("u", true)).counts);
    expect(counted).toHaveLength(4 + 2);
    // A profile that was stored meanwhile knows it too.
    const stored = decodeProfile(encodeProfile(profile), "exact");
    expect(
      countedEvent(stored, interaction("a", start + 90 * day + hour), countingOf("u", true), start).counts,
    ).toBe(true);
    expect(
      countedEvent(
        stored,
        interaction("a", start + 90 * day + hour, "purchase"),
        countingOf("u", true),
        start,
      ).counts,
    ).toBe(false);
  });

  it("counts a user among the people and buyers of a product with the first event that counts", () => {
    const profile = emptyProfile();
    record(profile, interaction("a", start), countingOf("u", false));
    const bought = record(profile, interaction("a", start + hour, "purchase"), countingOf("u", true));
    expect(bought).toMatchObject({ counts: true, first: true, firstPurchase: true });
    const again = record(profile, interaction("a", start + 2 * hour, "purchase"), countingOf("u", true));
    expect(again).toMatchObject({ counts: true, first: false, firstPurchase: false });
  });

  it("S5: counts a transition of a user once in 30 days, between products for which the user counts", () => {
    const profile = emptyProfile();
    const vouched = countingOf("u", true);
    const steps = Array.from({ length: 60 }, (_, i) =>
      interaction(i % 2 === 0 ? "a" : "b", start + i * hour),
    );
    const gaps = steps.flatMap((event) => {
      const { gaps: counted } = record(profile, event, vouched);
      return counted.map((gap) => `${event.productId}${gap}`);
    });
    expect(gaps.sort()).toEqual(["a1", "a3", "b1", "b3"]);
    const unknown = emptyProfile();
    record(unknown, interaction("a", start), countingOf("u", false));
    expect(record(unknown, interaction("b", start + 60), vouched).gaps).toEqual([]);
  });
});

describe("previousOf", () => {
  it("is empty for an event that does not count, so that it adds no transitions", () => {
    const profile = emptyProfile();
    record(profile, interaction("a", start), countingOf("u", true));
    const event = interaction("b", start + 60);
    const counted = countedEvent(profile, event, countingOf("u", true), start);
    expect(previousOf(profile, event, counted)).toEqual([{ productId: "a", cell: "c", counts: true }]);
    expect(previousOf(profile, event, { ...counted, counts: false })).toEqual([]);
  });
});

describe("networkKeyOf", () => {
  it("differs by network, product and type, and is null for users with a voucher", () => {
    const keyOf = (event: Interaction, network: string | null, isVouched = false) =>
      networkKeyOf(
        event,
        { ...countingOf("u", isVouched), requester: { ...stranger, isVouched, network } },
        true,
      );
    const keys = [
      keyOf(interaction("a", start), "net"),
      keyOf(interaction("a", start), "other"),
      keyOf(interaction("b", start), "net"),
      keyOf(interaction("a", start, "click"), "net"),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(keyOf(interaction("a", start), "net", true)).toBeNull();
    expect(keyOf(interaction("a", start), null)).toBeNull();
  });
});

describe("drawOf", () => {
  it("is spread evenly from 0 to 1, and the same for all events of a user and product", () => {
    const draws = Array.from({ length: 10_000 }, (_, i) => drawOf(`u${i}`, "a"));
    const mean = draws.reduce((sum, each) => sum + each, 0) / draws.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02);
    for (const share of [0.005, 0.05, 0.5])
      expect(Math.abs(draws.filter((draw) => draw < share).length / 10_000 - share)).toBeLessThan(0.01);
    expect(drawOf("u1", "a")).toBe(draws[1]);
  });
});
