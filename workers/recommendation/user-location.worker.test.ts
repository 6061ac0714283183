/// <reference types="@cloudflare/vitest-plugin/types" />

import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Interaction } from "../../shared/contracts/event.ts";
import { profileOf, rows, session, view } from "./testing/user-sessions.ts";

describe("the location of a UserSession", () => {
  const paris = { lat: 48.8566, lon: 2.3522 };
  const tokyo = { lat: 35.6762, lon: 139.6503 };
  const now = Date.now() / 1000;
  /** A view of a product without a location, so that the user's location counts as a place. */
  const viewFrom = (eventId: string, location: typeof paris, minutes: number): Interaction => ({
    ...view(eventId, "online", now - 3600 + minutes * 60),
    location,
    facts: { cell: "world-1", lat: null, lon: null, category: "books", priceMinor: 400, currency: "EUR" },
  });
  const doubts = async (userId: string, events: Interaction[], isHistory = false) => {
    const ingested = await session(userId).ingest("demo", userId, events, isHistory);
    if (!ingested.ok) throw new Error("events were refused");
    return ingested.value.results.map(({ isLocationDoubted = false }) => isLocationDoubted);
  };

  it("P1: accepts an event whose location was out of reach, and does not count its location", async () => {
    expect(await doubts("lea", [viewFrom("a", paris, 0), viewFrom("b", tokyo, 10)])).toEqual([false, true]);
    const profile = await profileOf("lea");
    expect(profile).toMatchObject({ events: 2, location: paris });
    expect([...profile.places.values()].map(({ lat }) => Math.round(lat))).toEqual([49]);
  });

  it("P1: believes the second location of a user who flew, also after a restart", async () => {
    await doubts("mia", [viewFrom("a", paris, 0), viewFrom("b", tokyo, 10)]);
    await evictDurableObject(session("mia"));
    expect(await doubts("mia", [viewFrom("c", tokyo, 20)])).toEqual([false]);
    expect((await profileOf("mia")).location).toMatchObject(tokyo);
  });

  it("P1: ignores a reported location out of reach until a second one confirms it", async () => {
    const report = async (point: typeof paris, minutes: number) => {
      const visit = { ...point, time: now - 3600 + minutes * 60, precision: "exact" as const };
      const stored = await session("noa").setLocation("demo", "noa", visit);
      return stored.ok && stored.value.isBelieved;
    };
    expect(await report(paris, 0)).toBe(true);
    expect(await report(tokyo, 10)).toBe(false);
    expect((await rows("noa")).length).toBe(1);
    await evictDurableObject(session("noa"));
    expect((await profileOf("noa")).location).toMatchObject(paris);
    expect(await report(tokyo, 20)).toBe(true);
    expect((await profileOf("noa")).location).toMatchObject(tokyo);
  });

  it("P1: compares history with its own time", async () => {
    await doubts("oda", [viewFrom("a", paris, 0)]);
    const past = [viewFrom("b", tokyo, -500_000), viewFrom("c", paris, -499_990)];
    expect(await doubts("oda", past, true)).toEqual([false, false]);
    expect((await profileOf("oda")).location).toMatchObject(paris);
  });
});
