import { describe, expect, it } from "vitest";
import type { ConsentLimits } from "../../../shared/consent/consent-limits.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import { ok } from "../../../shared/contracts/result.ts";
import { coarsenToCity } from "../../../shared/geo/coarsen.ts";
import { respectConsentOfMessage, respectConsentOfVisits } from "./respect-consent.ts";

const users = ["ann", "ben"];
const toCity = (userId: string): ConsentLimits => ({
  ...{ userId, approximateBefore: 9, cityBefore: 9, noneBefore: 0, precision: "city", isStated: true },
});

/** Returns services of users who lowered their consent to `city`, and the calls that are made. */
function countedServices() {
  const calls: string[] = [];
  const USER = {
    findConsentLimits: async (_application: string, ids: string[]) => {
      calls.push("findConsentLimits");
      return ok(ids.map(toCity));
    },
  };
  const LOCATION = {
    coarsenPoints: async (points: Point[]) => {
      calls.push("coarsenPoints");
      return ok(points.map(coarsenToCity));
    },
  };
  return { calls, env: { USER, LOCATION } as unknown as Parameters<typeof respectConsentOfVisits>[0] };
}

const visitsOf = (userId: string) => ({
  userId,
  pseudonym: userId === "ann" ? "a".repeat(64) : "b".repeat(64),
  visits: Array.from({ length: 60 }, (_, i) => ({
    ...{ seq: i + 1, lat: 59.9 + i / 900, lon: 10.7 + i / 900, time: 1_790_000_000 + i },
    ...{ precision: "exact" as const, version: 1 },
  })),
});

describe("rows of users who lowered their consent to `city`", () => {
  it("S11: cost one call of the location service, however many they are", async () => {
    const { calls, env } = countedServices();
    const allowed = await respectConsentOfVisits(env, "shop", users.map(visitsOf));
    expect(calls).toEqual(["findConsentLimits", "coarsenPoints"]);
    for (const [i, { visits }] of allowed.entries())
      expect(visits).toEqual(
        visitsOf(users[i]).visits.map((visit) => ({ ...visit, ...coarsenToCity(visit), precision: "city" })),
      );
  });

  it("S11: are read from messages of version 0.2, which called `approximate` by another name", async () => {
    const { env } = countedServices();
    const { visits, ...user } = visitsOf("ann");
    const rows = [{ ...visits[0], precision: "1km" }];
    const allowed = await respectConsentOfMessage(env, { application: "shop", ...user, generation: 0, rows });
    expect(allowed).toMatchObject({ rows: [{ ...coarsenToCity(visits[0]), precision: "city" }] });
  });

  it("S11: cost as little in a message that could not be delivered", async () => {
    const { calls, env } = countedServices();
    const { visits, ...user } = visitsOf("ann");
    const message = { application: "shop", ...user, generation: 0, rows: visits };
    const allowed = (await respectConsentOfMessage(env, message)) as typeof message;
    expect(calls).toEqual(["findConsentLimits", "coarsenPoints"]);
    expect(new Set(allowed.rows.map(({ precision }) => precision))).toEqual(new Set(["city"]));
  });
});
