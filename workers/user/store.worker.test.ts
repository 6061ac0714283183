/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type AcceptedInteraction, eventTypes } from "../shared/contracts/event.ts";
import { personHash } from "./person-hash.ts";
import type { PersonBatch } from "./record.ts";
import { UserStore } from "./store.ts";

const environment: { DB: D1Database; MIGRATIONS: D1Migration[] } = Object.assign({ MIGRATIONS: [] }, env);
const store = new UserStore(environment);
const hour = 3600;

const interaction = (event: number, product: number, type: number, hours: number): AcceptedInteraction => ({
  eventId: `e${event}`,
  type: eventTypes[type],
  productId: `p${product}`,
  time: 1_700_000_000 + hours * hour,
  recommendationId: null,
  at: null,
  facts: { cell: null, lat: null, lon: null, category: null, price: null },
  first: event % 3 === 0,
  previous: [],
});

/** Event n of a person always says the same: a repeated event is the same event. */
const anyBatch = fc.array(
  fc.record({ person: fc.nat(3), events: fc.array(fc.nat(40), { minLength: 1, maxLength: 12 }) }),
  { minLength: 1, maxLength: 4 },
);
const batchOf = (parts: { person: number; events: number[] }[]): PersonBatch[] =>
  parts.map(({ person, events }) => ({
    userId: `u${person}`,
    interactions: events.map((n) => interaction(n, (n + person) % 5, n % 5, n % 7)),
  }));

const record = (application: string, batch: PersonBatch[]) =>
  store.record(application, batch, new Map(), crypto.randomUUID(), 1_700_000_000);

/** Totals recounted from the table of interactions. */
async function recount(application: string) {
  const { results } = await environment.DB.prepare(
    `SELECT product_id AS id, count(*) AS n, sum(first) AS people FROM interactions WHERE application = ? GROUP BY 1 ORDER BY 1`,
  )
    .bind(application)
    .all<{ id: string; n: number; people: number }>();
  return results;
}

beforeAll(() => applyD1Migrations(environment.DB, environment.MIGRATIONS));

describe("record", () => {
  it("keeps totals equal to a recount, however batches repeat, overlap and run at once", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyBatch, { minLength: 1, maxLength: 5 }), async (batches) => {
        const application = `a${run++}`;
        await Promise.all(batches.map((batch) => record(application, batchOf(batch))));
        for (const batch of batches) expect((await record(application, batchOf(batch))).inserted).toBe(0);
        const counted = await recount(application);
        const totals = await store.totals(
          application,
          counted.map(({ id }) => id),
        );
        totals.forEach((each, i) => {
          expect(eventTypes.reduce((sum, type) => sum + each[type], 0)).toBe(counted[i].n);
          expect(each.people).toBe(counted[i].people);
        });
      }),
      { numRuns: 25 },
    );
  });

  it("answers absolute totals of all products named, whose version grows with each count", async () => {
    const first = await record("growth", [{ userId: "u", interactions: [interaction(1, 1, 0, 0)] }]);
    const second = await record("growth", [
      { userId: "u", interactions: [interaction(1, 1, 0, 0), interaction(2, 1, 3, 5)] },
    ]);
    expect(first.totals[0]).toMatchObject({ productId: "p1", version: 1 });
    expect(second.totals[0].version).toBe(2);
    expect(second.totals[0].hours).toHaveLength(2);
  });

  it("does not see another application", async () => {
    await record("mine", [{ userId: "u", interactions: [interaction(1, 1, 0, 0)] }]);
    expect(await store.history("theirs", "u", 10, null)).toEqual([]);
    expect((await store.totals("theirs", ["p1"]))[0].view).toBe(0);
  });

  it("drops late events of someone who was erased, and takes new ones", async () => {
    const hash = await personHash("gone", "u");
    const hashes = new Map([["u", hash]]);
    const batch = (n: number, hours: number): PersonBatch[] => [
      { userId: "u", interactions: [interaction(n, 1, 0, hours)] },
    ];
    await store.record("gone", batch(1, 0), hashes, "m1", 0);
    expect(await store.erase("gone", "u", hash, 1_700_000_000 + hour)).toMatchObject({ interactions: 1 });
    expect((await store.record("gone", batch(2, 0), hashes, "m2", 0)).inserted).toBe(0);
    expect(await store.history("gone", "u", 10, null)).toEqual([]);
    expect((await store.record("gone", batch(3, 9), hashes, "m3", 0)).inserted).toBe(1);
  });
});
