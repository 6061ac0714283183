import { describe, expect, it } from "vitest";
import { emptyProfile, type UserProfile } from "../../../model/profile/profile.ts";
import type { EdgeLocation } from "../../../shared/contracts/location.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { ok } from "../../../shared/contracts/result.ts";
import { resolveLocation } from "./resolve-location.ts";

const now = 1_800_000_000;
const hour = 3600;
const paris = { lat: 48.8566, lon: 2.3522 };
const lyon = { lat: 45.764, lon: 4.8357 };
const tokyo = { lat: 35.6762, lon: 139.6503 };
const location = { edgePoint: async (edge: EdgeLocation) => ok(edge.point) } as never;

/** Returns the location for a request; `age` is that of the last location, Tokyo, in hours. */
const resolve = (
  more: { stated?: Point; edge?: Point | null; home?: Point | null; age?: number; hours?: number } = {},
) => {
  const { stated, edge = lyon, home = paris, age, hours = 12 } = more;
  const profile: UserProfile = { ...emptyProfile("exact"), home };
  if (age !== undefined) profile.location = { ...tokyo, time: now - age * hour };
  const query = {
    stated,
    edge: { city: null, country: null, timezone: null, point: edge },
    now,
    lastLocationSeconds: hours * hour,
  };
  return resolveLocation(location, profile, query, trustedRequester);
};

describe("resolveLocation", () => {
  it("P2: the last location expires, then the edge's counts, then the home", async () => {
    expect(await resolve({ age: 11.9 })).toMatchObject({ point: tokyo, source: "last" });
    expect(await resolve({ age: 12.1 })).toMatchObject({ point: lyon, source: "edge" });
    expect(await resolve({ age: 300 * 24 })).toMatchObject({ point: lyon, source: "edge" });
    expect(await resolve({ age: 300 * 24, edge: null })).toMatchObject({ point: paris, source: "home" });
    expect(await resolve({ age: 300 * 24, edge: null, home: null })).toMatchObject({
      point: null,
      source: "none",
    });
  });

  it("P2: the time after which it expires is configured", async () => {
    expect((await resolve({ age: 2, hours: 1 })).source).toBe("edge");
    expect((await resolve({ age: 47, hours: 48 })).source).toBe("last");
    expect((await resolve({ age: 0.1, hours: 0 })).source).toBe("edge");
  });

  it("P1: a request at (0, 0) counts as one without a location, with a warning", async () => {
    const zero = { lat: 0, lon: 0 };
    expect(await resolve({ stated: zero, age: 1 })).toMatchObject({
      point: tokyo,
      source: "last",
      warnings: [{ path: "location", code: "location_not_believed" }],
    });
    expect(await resolve({ stated: zero })).toMatchObject({ point: lyon, source: "edge" });
    expect(await resolve({ stated: zero, edge: null })).toMatchObject({ point: paris, source: "home" });
  });

  it("P1: a request at whole degrees is answered as it is stated, with a warning", async () => {
    expect(await resolve({ stated: { lat: -50, lon: 2 } })).toEqual({
      point: { lat: -50, lon: 2 },
      precision: "exact",
      source: "request",
      warnings: [{ path: "location", code: "location_imprecise", message: expect.any(String) }],
    });
    expect((await resolve({ stated: paris })).warnings).toEqual([]);
  });
});
