/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, createExecutionContext, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { usualConsent } from "../../shared/consent/default-consent.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import { user, userInput, userInteraction } from "../../shared/contracts/user.ts";
import { refusalCodeOf } from "../../shared/testing/refusal-code.ts";
import { UserService } from "./service.ts";

const environment: { DB: D1Database; MIGRATIONS: D1Migration[] } = Object.assign({ MIGRATIONS: [] }, env);
const service = new UserService(createExecutionContext(), {
  DB: environment.DB,
  DEFAULT_CONSENT: usualConsent,
});

const profile = userInput.parse({ home: { lat: 59.9, lon: 10.7 }, attributes: { tier: "gold" } });
const viewEvent = (eventId: string, time: number) => ({
  eventId,
  type: "view" as const,
  productId: "p",
  time,
  recommendationId: null,
  location: null,
  facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
  first: false,
  counts: true,
  networkKey: null,
  firstPurchase: false,
  previous: [],
});

describe("UserService", () => {
  it("is not ready before its migrations are applied", async () => {
    expect((await service.ready()).ready).toBe(false);
    await applyD1Migrations(environment.DB, environment.MIGRATIONS);
    expect((await service.ready()).ready).toBe(true);
  });
});

/** The first generation of a user. */
const userGenerationOf = (userId: string) => ({
  userId,
  pseudonym: userId.startsWith("a") ? "a".repeat(64) : "b".repeat(64),
  generation: 0,
});

const erasedUser = (userId: string) => ({ ...userGenerationOf(userId), logPseudonym: "c".repeat(64) });

describe("UserService, migrated", () => {
  beforeAll(() => applyD1Migrations(environment.DB, environment.MIGRATIONS));

  it("creates, patches and erases a user of one application only", async () => {
    const first = unwrap(await service.put("shop", "ann", profile), "the user service");
    expect(first).toMatchObject({ created: true, user: { id: "ann", home: { lat: 59.9, lon: 10.7 } } });
    expect(user.parse(first.user)).toEqual(first.user);
    const city = unwrap(
      await service.patch("shop", "ann", { consent: { location: "city" } }),
      "the user service",
    );
    expect(city.user).toMatchObject({ consent: { location: "city" }, attributes: { tier: "gold" } });
    expect(city.settings.version).toBeGreaterThan(first.settings.version);
    expect(
      unwrap(await service.patch("shop", "ann", { home: null }), "the user service").user.home,
    ).toBeNull();
    expect(refusalCodeOf(await service.get("other", "ann"))).toBe("not_found");
    expect(refusalCodeOf(await service.patch("other", "ann", { home: null }))).toBe("not_found");
    unwrap(await service.eraseRecords("other", erasedUser("ann")), "the user service");
    expect(unwrap(await service.get("shop", "ann"), "the user service").id).toBe("ann");
    unwrap(await service.eraseRecords("shop", erasedUser("ann")), "the user service");
    expect(refusalCodeOf(await service.get("shop", "ann"))).toBe("not_found");
  });

  it("pages lists by opaque cursors, and refuses other cursors", async () => {
    for (const id of ["a", "b", "c"]) unwrap(await service.put("pages", id, profile), "the user service");
    const first = unwrap(await service.list("pages", { limit: 2 }), "the user service");
    expect(first.items.map(({ id }) => id)).toEqual(["a", "b"]);
    const rest = unwrap(
      await service.list("pages", { limit: 2, cursor: first.nextCursor }),
      "the user service",
    );
    expect(rest.items.map(({ id }) => id)).toEqual(["c"]);
    expect(rest.nextCursor).toBeUndefined();
    expect(unwrap(await service.list("pages", { limit: 3 }), "the user service").nextCursor).toBeUndefined();
    expect(refusalCodeOf(await service.list("pages", { limit: 2, cursor: "nonsense" }))).toBe("not_found");
    expect(
      refusalCodeOf(await service.listInteractions("pages", "a", { limit: 2, cursor: first.nextCursor })),
    ).toBe("not_found");
  });

  it("records interactions, lists them and counts them in the totals", async () => {
    const events = [viewEvent("e1", 1_700_000_000), viewEvent("e2", 1_700_003_600)];
    const recorded = unwrap(
      await service.recordInteractions("shop", [{ ...userGenerationOf("bob"), interactions: events }]),
      "the user service",
    );
    expect(recorded).toMatchObject({ inserted: 2, totals: [{ productId: "p", complete: false }] });
    const { items } = unwrap(
      await service.listInteractions("shop", "bob", { limit: 10 }),
      "the user service",
    );
    expect(items.map((item) => userInteraction.parse(item).eventId)).toEqual(["e2", "e1"]);
    expect(items[1].timestamp).toBe("2023-11-14T22:13:20.000Z");
    expect(
      unwrap(await service.lifetimeTotals("shop", ["unknown", "p"]), "the user service").map(
        ({ view }) => view,
      ),
    ).toEqual([0, 2]);
  });

  it("refuses invalid input with invalid_input in every method", async () => {
    const invalidEvent = { ...viewEvent("e", 1), eventId: "with a\ttab" };
    const answers = await Promise.all([
      service.put("shop", "no\ttab", profile),
      service.put("Not a name", "ann", profile),
      service.put("shop", "ann", { ...profile, home: { lat: 91, lon: 0 } }),
      service.get("shop", ""),
      service.patch("shop", "ann", { home: { lat: 0, lon: 181 } }),
      service.list("shop", { limit: 501 }),
      service.listInteractions("shop", "ann", { limit: 0 }),
      service.recordInteractions("shop", [{ ...userGenerationOf("ann"), interactions: [invalidEvent] }]),
      service.recordLocations("shop", [
        { ...userGenerationOf("ann"), visits: [{ seq: 0.5, lat: 0, lon: 0, time: 0, precision: "exact" }] },
      ]),
      service.lifetimeTotals("shop", ["a\n"]),
      service.eraseRecords("shop", erasedUser("no\ttab")),
      service.eraseRecords("shop", userGenerationOf("ann")),
    ]);
    expect(answers.map(refusalCodeOf)).toEqual(answers.map(() => "invalid_input"));
  });
});
