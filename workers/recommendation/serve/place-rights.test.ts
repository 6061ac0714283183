import { describe, expect, it } from "vitest";
import { emptyProfile, type UserProfile } from "../../../model/profile/profile.ts";
import { type ReceiptRecord, receiptRecord } from "../../../shared/contracts/receipt.ts";
import { type Requester, trustedRequester } from "../../../shared/contracts/requester.ts";
import { coarsenToKilometer } from "../../../shared/geo/coarsen.ts";
import { isPlacePrivate, profileFor, shownDistance, shownReasons } from "./place-rights.ts";
import { receiptFor } from "./receipt-for.ts";

const stranger: Requester = { ...trustedRequester, mayKnowPlace: false, mayReadHistory: false };
const ownToken: Requester = { ...trustedRequester, tokenIssuedAt: 1 };
const home = { lat: 59.930717171, lon: 10.735929292 };

describe("shownDistance", () => {
  it("S1: is rounded to what the precision of the place allows", () => {
    const at = (precision: UserProfile["precision"], source: "last" | "edge" | "request" = "last") =>
      shownDistance(13.5678, trustedRequester, { source, precision });
    expect(at("exact")).toBe(13.57);
    expect(at("approximate")).toBe(14);
    expect(at("city")).toBe(10);
    expect(at("exact", "edge")).toBe(10);
    expect(at("none", "request")).toBe(13.57);
  });

  it("S1: is null for a stored place that the requester may not know, not for the place of the request", () => {
    for (const source of ["last", "home"] as const)
      expect(shownDistance(1, stranger, { source, precision: "exact" })).toBeNull();
    expect(shownDistance(1, stranger, { source: "request", precision: "exact" })).toBe(1);
    expect(shownDistance(null, trustedRequester, { source: "last", precision: "exact" })).toBeNull();
  });
});

describe("profileFor", () => {
  it("S1: holds no place finer than about 1 km for a requester who may not know it", () => {
    const place = { ...home, choices: 1, decayed: 1, at: 1 };
    const profile: UserProfile = {
      ...emptyProfile("exact"),
      ...{ home, location: { ...home, time: 1 }, places: new Map([["cell", place]]) },
    };
    const coarse = coarsenToKilometer(home);
    expect(profileFor(trustedRequester, profile)).toBe(profile);
    expect(profileFor(stranger, profile)).toMatchObject({ home: coarse, location: { ...coarse, time: 1 } });
    expect(profileFor(stranger, profile).places.get("cell")).toEqual({ ...place, ...coarse });
  });
});

describe("shownReasons", () => {
  it("S1: names purchases and places only to those who may read them", () => {
    const reasons = ["chosen_before", "near_you", "near_your_usual_places", "popular"];
    expect(shownReasons(reasons, trustedRequester, "last")).toEqual(reasons);
    expect(shownReasons(reasons, stranger, "last")).toEqual(["popular"]);
    expect(shownReasons(reasons, stranger, "request")).toEqual(["near_you", "popular"]);
    expect(shownReasons(reasons, { ...stranger, mayReadHistory: true }, "home")).toEqual([
      "chosen_before",
      "popular",
    ]);
  });
});

describe("receiptFor", () => {
  const receipt = (precision: UserProfile["precision"], isPrivate: boolean): ReceiptRecord =>
    receiptRecord.parse({
      ...{ recommendationId: "r", time: "2026-01-01T00:00:00Z", model: { version: "v", sha256: "s" } },
      ...{ variant: "v", candidates: 0, items: [], stages: [], isPlacePrivate: isPrivate },
      location: { city: "Oslo", country: "NO", precision, source: "last" },
    });

  it("S1: tells no private place to a requester who may not know it", () => {
    expect(receiptFor(stranger, receipt("exact", true))).toMatchObject({ error: { code: "forbidden" } });
    expect(receiptFor(stranger, receipt("city", true))).toMatchObject({
      value: { location: { city: null, country: null } },
    });
    for (const [requester, isPrivate] of [
      [trustedRequester, true],
      [stranger, false],
    ] as const) {
      const shown = receiptFor(requester, receipt("exact", isPrivate));
      expect(shown).toMatchObject({ value: { location: { city: "Oslo" } } });
      expect(shown.ok && Object.keys(shown.value)).not.toContain("isPlacePrivate");
    }
  });

  it("S1: counts the place of a key's own request as known to keys, and that of a user's request as private", () => {
    expect(isPlacePrivate(home, "request", trustedRequester)).toBe(false);
    expect(isPlacePrivate(home, "edge", stranger)).toBe(false);
    expect(isPlacePrivate(home, "last", stranger)).toBe(true);
    expect(isPlacePrivate(home, "request", ownToken)).toBe(true);
    expect(isPlacePrivate(null, "none", ownToken)).toBe(false);
  });
});
