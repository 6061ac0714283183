/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, createExecutionContext, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { unwrap } from "../../shared/contracts/result.ts";
import { retention } from "../../shared/contracts/retention.ts";
import { userInput } from "../../shared/contracts/user.ts";
import { fullScans, recordPlans } from "../../shared/testing/query-plans.ts";
import { UserService } from "./service.ts";

const environment: UserEnv & { DB_1: D1Database; MIGRATIONS: D1Migration[] } = Object.assign(
  { DB_1: env.DB, MIGRATIONS: [] },
  env,
);
const time = 1_700_000_000;

beforeAll(async () => {
  for (const database of [environment.DB, environment.DB_1])
    await applyD1Migrations(database, environment.MIGRATIONS);
});

it("no statement of the user worker reads a whole table that grows", async () => {
  const recorders = [recordPlans(environment.DB), recordPlans(environment.DB_1)];
  const service = new UserService(createExecutionContext(), {
    ...environment,
    DB: recorders[0].database,
    DB_1: recorders[1].database,
  } as UserEnv);
  const value = unwrap;
  const ended = (userId: string) => ({ ...generationOf(userId), logPseudonym: "c".repeat(64) });
  const generationOf = (userId: string) => ({ userId, pseudonym: "a".repeat(64), generation: 0 });
  const interaction = (eventId: string, networkKey: number | null = null) => ({
    ...{ eventId, type: "view" as const, productId: "p", time, recommendationId: null },
    location: { lat: 1, lon: 2 },
    facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
    ...{ first: true, firstPurchase: false, counts: true, networkKey, previous: [] },
  });
  for (const database of [environment.DB, environment.DB_1])
    await database
      .prepare(
        "INSERT INTO interactions VALUES ('plans', 'old', 'e', 'view', 'p', 1, NULL, NULL, NULL, 1, 'b', 0, 1)",
      )
      .run();
  const users = Array.from({ length: 8 }, (_, i) => `u${i}`);
  await service.ready();
  for (const userId of users) {
    value(await service.put("plans", userId, userInput.parse({ home: { lat: 1, lon: 2 } })), "user");
    value(await service.patch("plans", userId, { consent: { location: "city" } }), "user");
    value(await service.get("plans", userId), "user");
    value(await service.getSettings("plans", userId), "user");
    const batch = [{ ...generationOf(userId), interactions: [interaction("a"), interaction("b", 7)] }];
    value(await service.recordInteractions("plans", batch), "user");
    const visit = { seq: 1, lat: 1, lon: 2, time, precision: "city" as const };
    value(await service.recordLocations("plans", [{ ...generationOf(userId), visits: [visit] }]), "user");
    value(await service.findInteractions("plans", [{ userId, eventId: "a" }]), "user");
    const { nextCursor: cursor } = value(
      await service.listInteractions("plans", userId, { limit: 1 }),
      "user",
    );
    value(await service.listCountedInteractions("plans", userId, { limit: 1, cursor }), "user");
    value(await service.listVisits("plans", userId, { limit: 1 }), "user");
    value(await service.readVisits("plans", userId, 0, 10), "user");
    const rows = value(await service.readHistory("plans", userId, "", 10), "user");
    const known = { equal: [], conflicting: [], chosen: [], purchased: [] };
    const into = generationOf(`other-${userId}`);
    value(await service.insertHistory("plans", into, generationOf(userId), rows, known), "user");
    value(await service.adoptProfile("plans", userId, into), "user");
    value(
      await service.replaceLocations("plans", userId, {
        precision: "none",
        interactions: [{ eventId: "a", location: null }],
        visits: [{ seq: 1, location: null }],
      }),
      "user",
    );
  }
  value(await service.findConsentLimits("plans", users), "user");
  value(await service.list("plans", { limit: 3 }), "user");
  value(await service.lifetimeTotals("plans", ["p"]), "user");
  value(await service.hourlyTotals("plans", ["p"]), "user");
  for (let next: string | null = null, i = 0; i < 20; i++) {
    const step: { next: string | null } = value(await service.rebuildTotals("plans", next, 100), "user");
    if (step.next === null) break;
    next = step.next;
  }
  value(await service.findTombstones("plans", ["a".repeat(64)]), "user");
  value(await service.applyRetention(retention.parse({ hourlyTotals: 1 })), "user");
  value(await service.closeMergedGeneration("plans", generationOf(users[0])), "user");
  for (const userId of users) value(await service.eraseRecords("plans", ended(userId)), "user");

  const recorded = (await Promise.all(recorders.map(({ plans }) => plans()))).flat();
  expect(recorded.length).toBeGreaterThan(60);
  // Temporary results and tables of a fixed size, by the names that the statements give them.
  const small = ["buckets", "products", "walked", "seeds", "page", "h", "j", "added", "known", "k", "marked"];
  expect(fullScans(recorded, small)).toEqual([]);
});
