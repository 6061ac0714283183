/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { retention } from "../../shared/contracts/retention.ts";
import { bucketOf, numbersOf, usualBucketCount } from "./buckets/user-buckets.ts";
import { copiedFromOldBatch } from "./copied-from.ts";
import { moveOldPage } from "./old-interactions.ts";
import { removeExpiredInSteps } from "./retention.ts";
import { UserStore } from "./store.ts";
import { readAllInteractions } from "./testing/read-all-interactions.ts";
import { recountAll } from "./testing/recount-all.ts";

const environment: { DB: D1Database; MIGRATIONS: D1Migration[] } = Object.assign({ MIGRATIONS: [] }, env);
const database = environment.DB;
const store = new UserStore([database], "exact");
const time = 1_700_000_000;
const uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";

beforeAll(() => applyD1Migrations(database, environment.MIGRATIONS));

/** Inserts a row as earlier versions did, and counts it in the totals. */
async function insertOld(application: string, userId: string, eventId: string, more = {}): Promise<void> {
  const row = {
    ...{ type: "purchase", product: "p", time, lat: 59.9139, lon: 10.735929292, recommendation: null },
    ...{ first: 1, batch: "b", firstPurchase: 1, counts: 1 },
    ...more,
  };
  await database.batch([
    database
      .prepare("INSERT INTO interactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(
        ...[application, userId, eventId, row.type, row.product, row.time, row.lat, row.lon],
        ...[row.recommendation, row.first, row.batch, row.firstPurchase, row.counts],
      ),
    database
      .prepare(
        `INSERT INTO interaction_totals VALUES (?, ?, ?, 0, 0, 0, 1, 0, 1, 1)
         ON CONFLICT DO UPDATE SET purchase = purchase + 1, people = people + 1, buyers = buyers + 1`,
      )
      .bind(application, row.product, Math.floor(row.time / 3600)),
  ]);
}

const oldRows = async (): Promise<number | null> =>
  database.prepare("SELECT count(*) AS n FROM interactions").first<number>("n");
const generationOf = (userId: string) => ({ userId, pseudonym: "a".repeat(64), generation: 0 });
const purchase = (eventId: string) => ({
  ...{ eventId, type: "purchase" as const, productId: "p", time, recommendationId: null, location: null },
  facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
  ...{ first: true, firstPurchase: true, counts: true, networkKey: null, previous: [] },
});

describe("interactions of earlier versions", () => {
  it("are read as they were written", async () => {
    await insertOld("read", "ann", uuid, { recommendation: "R".repeat(80), product: "ab".repeat(8) });
    await insertOld("read", "ann", "e-1", {
      time: time + 1.234,
      lat: null,
      lon: null,
      firstPurchase: 0,
      counts: 0,
    });
    await insertOld("read", "ann", "e-2", { time: time + 2, type: "dismiss", first: 0, batch: "merge:aa:3" });
    expect(await store.listInteractions("read", "ann", 10, null)).toEqual([
      {
        ...{
          eventId: "e-2",
          type: "dismiss",
          productId: "p",
          time: time + 2,
          lat: 59.9139,
          lon: 10.735929292,
        },
        ...{ recommendationId: null, first: 0, firstPurchase: 1, counts: 1 },
        copiedFrom: copiedFromOldBatch("merge:aa:3"),
        worth: null,
      },
      {
        ...{ eventId: "e-1", type: "purchase", productId: "p", time: time + 1.234, lat: null, lon: null },
        ...{ recommendationId: null, first: 1, firstPurchase: 0, counts: 0, copiedFrom: null, worth: null },
      },
      {
        ...{
          eventId: uuid,
          type: "purchase",
          productId: "ab".repeat(8),
          time,
          lat: 59.9139,
          lon: 10.735929292,
        },
        ...{
          recommendationId: "R".repeat(80),
          first: 1,
          firstPurchase: 1,
          counts: 1,
          copiedFrom: null,
          worth: null,
        },
      },
    ]);
    expect(await oldRows()).toBe(0);
  });

  it("are known when their message comes again, and count once", async () => {
    await insertOld("again", "ben", uuid);
    const { inserted, totals } = await store.recordInteractions(
      "again",
      [{ ...generationOf("ben"), interactions: [purchase(uuid), purchase("new")] }],
      time,
    );
    expect(inserted).toBe(1);
    expect(totals[0].hours).toMatchObject([{ purchase: 1, people: 2 }]);
  });

  it("are found, and erased with their user", async () => {
    await insertOld("gone", "cleo", uuid);
    await insertOld("gone", "dan", uuid);
    expect(await store.findInteractions("gone", [{ userId: "cleo", eventId: uuid }])).toMatchObject([
      { userId: "cleo", eventId: uuid, type: "purchase", time },
    ]);
    const ended = { ...generationOf("dan"), logPseudonym: "c".repeat(64) };
    expect(await store.erase("gone", ended, "erased", 10, time)).toMatchObject({
      interactions: 1,
      more: false,
    });
    expect(await readAllInteractions(database as never, "gone")).toMatchObject([{ userId: "cleo" }]);
    const numbers = database.prepare("SELECT user_id AS id FROM user_numbers WHERE application = 'gone'");
    expect((await numbers.all()).results).toEqual([{ id: "cleo" }]);
  });

  it("move page by page, then expire and are recounted like others", async () => {
    const users = Array.from({ length: 1100 }, (_, i) => `u${i}`);
    for (let i = 0; i < users.length; i += 100)
      await database.batch(
        users
          .slice(i, i + 100)
          .map((userId) =>
            database
              .prepare(
                "INSERT INTO interactions VALUES ('page', ?, 'e', 'view', 'q', ?, NULL, NULL, NULL, 1, 'b', 0, 1)",
              )
              .bind(userId, time),
          ),
      );
    const numbers = (application: string, userId: string) =>
      numbersOf(bucketOf(application, userId, usualBucketCount), usualBucketCount);
    expect(await moveOldPage(database, numbers)).toBe(1000);
    await recountAll(store.databases, "page");
    expect(await oldRows()).toBe(0);
    expect((await store.lifetimeTotals("page", ["q"]))[0]).toMatchObject({ view: 1100, people: 1100 });
    const later = time + 100 * 86_400;
    expect(
      (await removeExpiredInSteps([database], retention.parse({ interactions: 90 }), later)).interactions,
    ).toBe(
      // Those of the tests above, too.
      1100 + 3 + 2 + 1,
    );
    // A recount keeps the totals of hours whose interactions have expired.
    await recountAll(store.databases, "page");
    expect((await store.lifetimeTotals("page", ["q"]))[0]).toMatchObject({ view: 1100, people: 1100 });
  });
});
