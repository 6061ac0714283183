/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, createExecutionContext, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { CollectedConsent } from "../../shared/contracts/consent.ts";
import type { Precision } from "../../shared/contracts/primitives.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import { userInput } from "../../shared/contracts/user.ts";
import { UserService } from "./service.ts";

const environment: { DB: D1Database; MIGRATIONS: D1Migration[] } = Object.assign({ MIGRATIONS: [] }, env);
const application = "consent";
const fine = { lat: 59.930717171, lon: 10.735929292 };

const serviceWith = (defaultConsent: Precision) =>
  new UserService(createExecutionContext(), {
    DB: environment.DB,
    DEFAULT_CONSENT: defaultConsent as never,
  });
const service = serviceWith("exact");

const userGeneration = (userId: string) => ({ userId, pseudonym: "ab".repeat(32), generation: 0 });

/** Stores an event at {@link fine}, collected under a consent, and returns its stored location. */
async function storedLocation(userId: string, eventId: string, consent?: CollectedConsent, by = service) {
  const interaction = {
    ...{ eventId, type: "view" as const, productId: "p", time: 1, recommendationId: null, location: fine },
    facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
    ...{ first: false, firstPurchase: false, counts: true, networkKey: null, previous: [], consent },
  };
  unwrap(
    await by.recordInteractions(application, [{ ...userGeneration(userId), interactions: [interaction] }]),
    "user",
  );
  const { items } = unwrap(await by.listInteractions(application, userId, { limit: 500 }), "user");
  return items.find((item) => item.eventId === eventId)?.location;
}

const stateConsent = async (userId: string, location: Precision) =>
  unwrap(await service.put(application, userId, userInput.parse({ consent: { location } })), "user").settings
    .version;

beforeAll(() => applyD1Migrations(environment.DB, environment.MIGRATIONS));

describe("locations that arrive late", () => {
  it("S11: are not stored finer than a consent that was lowered after they were collected", async () => {
    const before = await stateConsent("ann", "exact");
    expect(await storedLocation("ann", "before", { precision: "exact", version: before })).toEqual(fine);
    const lowered = await stateConsent("ann", "city");
    expect(await storedLocation("ann", "late", { precision: "exact", version: before })).toBeNull();
    expect(await storedLocation("ann", "old", undefined)).toBeNull();
    expect(await storedLocation("ann", "coarse", { precision: "city", version: before })).toEqual(fine);
    // Raised again: what was collected before the lowering stays limited, what comes now does not.
    const raised = await stateConsent("ann", "exact");
    expect(await storedLocation("ann", "later", { precision: "exact", version: before })).toBeNull();
    expect(await storedLocation("ann", "now", { precision: "exact", version: raised })).toEqual(fine);
    expect(unwrap(await service.findConsentLimits(application, ["ann", "nobody"]), "user")).toEqual([
      {
        ...{ userId: "ann", precision: "exact", isStated: true },
        ...{ approximateBefore: lowered, cityBefore: lowered, noneBefore: 0 },
      },
    ]);
  });

  it("S11: are limited for a user whose first profile states a consent, and by the default for others", async () => {
    expect(await storedLocation("ben", "first", { precision: "exact", version: 0 })).toEqual(fine);
    await stateConsent("ben", "none");
    expect(await storedLocation("ben", "second", { precision: "exact", version: 0 })).toBeNull();
    const approximate = serviceWith("approximate");
    const collected = { precision: "exact", version: 0 } as const;
    expect(await storedLocation("cleo", "fine", collected, approximate)).toBeNull();
    expect(
      await storedLocation("cleo", "coarse", { ...collected, precision: "approximate" }, approximate),
    ).toEqual(fine);
  });

  it("S11: are not stored as visits either", async () => {
    const version = await stateConsent("dan", "exact");
    await stateConsent("dan", "approximate");
    const visit = { ...fine, time: 1, version };
    const visits = [
      { ...visit, seq: 1, precision: "exact" as const },
      { ...visit, seq: 2, precision: "city" as const },
    ];
    unwrap(await service.recordLocations(application, [{ ...userGeneration("dan"), visits }]), "user");
    const { items } = unwrap(await service.listVisits(application, "dan", { limit: 10 }), "user");
    expect(items.map(({ precision }) => precision)).toEqual(["city"]);
  });
});

describe("replaceLocations", () => {
  it("replaces and removes locations of one user", async () => {
    for (const userId of ["eve", "fay"])
      await storedLocation(userId, "e1", { precision: "exact", version: 0 });
    const visits = [1, 2].map((seq) => ({ ...fine, seq, time: 1, precision: "exact" as const, version: 0 }));
    unwrap(await service.recordLocations(application, [{ ...userGeneration("eve"), visits }]), "user");
    const changed = await service.replaceLocations(application, "eve", {
      precision: "city",
      interactions: [{ eventId: "e1", location: null }],
      visits: [
        { seq: 1, location: { lat: 1, lon: 2 } },
        { seq: 2, location: null },
      ],
    });
    expect(unwrap(changed, "user")).toEqual({ changed: 3 });
    const locationOf = async (userId: string) =>
      unwrap(await service.listInteractions(application, userId, { limit: 5 }), "user").items[0].location;
    expect(await locationOf("eve")).toBeNull();
    expect(await locationOf("fay")).toEqual(fine);
    expect(unwrap(await service.listVisits(application, "eve", { limit: 5 }), "user").items).toEqual([
      { location: { lat: 1, lon: 2 }, precision: "city", timestamp: expect.any(String) },
    ]);
  });
});
