/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, createExecutionContext, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { unwrap } from "../../shared/contracts/result.ts";
import { userInput } from "../../shared/contracts/user.ts";
import { slowD1 } from "../../shared/testing/platform/slow-d1.ts";
import { UserService } from "./service.ts";

const environment: UserEnv & { DB_1: D1Database; MIGRATIONS: D1Migration[] } = Object.assign(
  { DB_1: env.DB, MIGRATIONS: [] },
  env,
);
const time = 1_700_000_000;
const users = Array.from({ length: 40 }, (_, i) => `u${i}`);
const generationOf = (userId: string) => ({ userId, pseudonym: "a".repeat(64), generation: 0 });
const interaction = {
  ...{ eventId: "e", type: "view" as const, productId: "p", time, recommendationId: null, location: null },
  facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
  ...{ first: true, firstPurchase: false, counts: true, networkKey: 7, previous: [] },
};

beforeAll(async () => {
  for (const database of [environment.DB, environment.DB_1])
    await applyD1Migrations(database, environment.MIGRATIONS);
});

/** Returns how many calls of the databases each method waits for, one after another, when the buckets are known. */
async function callsOf(databases: D1Database[], application: string): Promise<Record<string, number>> {
  const slow = slowD1(databases, 20);
  const [DB, DB_1] = slow.databases;
  const service = new UserService(createExecutionContext(), {
    ...{ DB, DEFAULT_CONSENT: environment.DEFAULT_CONSENT },
    ...(DB_1 ? { DB_1 } : {}),
  } as UserEnv);
  const calls: Record<string, number> = {};
  const count = async (name: string, method: () => Promise<unknown>): Promise<void> => {
    slow.restart();
    await method();
    calls[name] = slow.callsInTurn();
  };
  unwrap(await service.list(application, { limit: 1 }), "user");
  unwrap(await service.put(application, "first", userInput.parse({})), "user");
  await count("put", () => service.put(application, "ann", userInput.parse({})));
  await count("get", () => service.get(application, "ann"));
  await count("recordInteractions", () =>
    service.recordInteractions(
      application,
      users.map((userId) => ({ ...generationOf(userId), interactions: [interaction] })),
    ),
  );
  const visits = [{ seq: 1, lat: 1, lon: 2, time, precision: "exact" as const }];
  await count("recordLocations", () =>
    service.recordLocations(
      application,
      users.map((userId) => ({ ...generationOf(userId), visits })),
    ),
  );
  await count("listInteractions", () => service.listInteractions(application, "u1", { limit: 9 }));
  await count("findConsentLimits", () => service.findConsentLimits(application, users));
  await count("findTombstones", () => service.findTombstones(application, ["a".repeat(64)]));
  await count("hourlyTotals", () => service.hourlyTotals(application, ["p"]));
  await count("eraseRecords", () =>
    service.eraseRecords(application, { ...generationOf("u1"), logPseudonym: "c".repeat(64) }),
  );
  return calls;
}

const once = {
  ...{ put: 1, get: 1, recordLocations: 1, listInteractions: 1, findConsentLimits: 1 },
  ...{ findTombstones: 1, hourlyTotals: 1, eraseRecords: 1 },
};

it("each method waits for one call of a database, however far away it is", async () => {
  // The totals of several databases are read after all of them have committed.
  expect(await callsOf([environment.DB, environment.DB_1], "two")).toEqual({
    ...once,
    recordInteractions: 2,
  });
});

it("an event waits for one call where there is one database", async () => {
  // The buckets of this file are in two databases, so that the only one gets them all.
  await environment.DB.prepare(
    `WITH RECURSIVE all_buckets(bucket) AS (SELECT 0 UNION ALL SELECT bucket + 1 FROM all_buckets WHERE bucket < 255)
     INSERT INTO buckets (bucket, state) SELECT bucket, 'owned' FROM all_buckets WHERE true
     ON CONFLICT DO UPDATE SET state = 'owned'`,
  ).run();
  expect(await callsOf([environment.DB], "one")).toEqual({ ...once, recordInteractions: 1 });
});
