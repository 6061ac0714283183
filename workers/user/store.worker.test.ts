/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type AcceptedInteraction, eventTypes } from "../shared/contracts/event.ts";
import type { PlaceVisit } from "../shared/contracts/queues.ts";
import { userInput } from "../shared/contracts/user.ts";
import { personHash } from "./person-hash.ts";
import { rowOf } from "./profile.ts";
import type { PersonBatch } from "./record.ts";
import { type UserRow, UserStore } from "./store.ts";

const environment: { DB: D1Database; DB_1: D1Database; MIGRATIONS: D1Migration[] } = Object.assign(
  { DB_1: env.DB, MIGRATIONS: [] },
  env,
);
/** Two databases, so that what spans people is tried across both. */
const databases = [environment.DB, environment.DB_1];
const store = new UserStore(databases);
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

/** Totals recounted from the tables of interactions. */
async function recount(application: string): Promise<Map<string, { n: number; people: number }>> {
  const counted = new Map<string, { n: number; people: number }>();
  for (const database of databases) {
    const { results } = await database
      .prepare("SELECT product_id AS id, first FROM interactions WHERE application = ?")
      .bind(application)
      .all<{ id: string; first: number }>();
    for (const { id, first } of results) {
      const { n, people } = counted.get(id) ?? { n: 0, people: 0 };
      counted.set(id, { n: n + 1, people: people + first });
    }
  }
  return counted;
}

const visit = (seq: number, hours: number): PlaceVisit => ({
  seq,
  lat: 59.9,
  lon: 10.7,
  time: 1_700_000_000 + hours * hour,
  precision: "exact",
});

beforeAll(async () => {
  for (const database of databases) await applyD1Migrations(database, environment.MIGRATIONS);
});

describe("record", () => {
  it("keeps totals equal to a recount, however batches repeat, overlap and run at once", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyBatch, { minLength: 1, maxLength: 5 }), async (batches) => {
        const application = `a${run++}`;
        await Promise.all(batches.map((batch) => record(application, batchOf(batch))));
        for (const batch of batches) expect((await record(application, batchOf(batch))).inserted).toBe(0);
        const counted = [...(await recount(application))];
        const totals = await store.totals(
          application,
          counted.map(([id]) => id),
        );
        totals.forEach((each, i) => {
          expect(eventTypes.reduce((sum, type) => sum + each[type], 0)).toBe(counted[i][1].n);
          expect(each.people).toBe(counted[i][1].people);
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

  it("gives the last of concurrent calls the totals of all of them", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        record("race", [{ userId: `u${i}`, interactions: [interaction(i, 1, 0, i)] }]),
      ),
    );
    expect(Math.max(...answers.map(({ totals }) => totals[0].version))).toBe(8);
  });
});

describe("erase", () => {
  it("drops what comes late of someone who was erased, their name among it, and takes what is new", async () => {
    const hash = await personHash("gone", "u");
    const hashes = new Map([["u", hash]]);
    const batch = (n: number, hours: number): PersonBatch[] => [
      { userId: "u", interactions: [interaction(n, 1, 0, hours)] },
    ];
    const locate = (seq: number, hours: number) =>
      store.recordLocations("gone", [{ userId: "u", visits: [visit(seq, hours)] }], hashes);
    await store.record("gone", batch(1, 0), hashes, "m1", 0);
    expect(await locate(1, 0)).toBe(1);
    expect(await locate(1, 0)).toBe(0);
    expect(await store.erase("gone", "u", hash, 1_700_000_000 + hour)).toEqual({
      interactions: 1,
      locations: 1,
    });
    expect((await store.record("gone", batch(2, 0), hashes, "m2", 0)).inserted).toBe(0);
    expect(await locate(2, 0)).toBe(0);
    expect(await store.history("gone", "u", 10, null)).toEqual([]);
    expect(await store.get("gone", "u")).toBeNull();
    expect((await store.record("gone", batch(3, 9), hashes, "m3", 0)).inserted).toBe(1);
    expect(await locate(3, 9)).toBe(1);
    expect(await store.get("gone", "u")).not.toBeNull();
  });
});

describe("people", () => {
  const row = (userId: string): UserRow => rowOf("people", userId, userInput.parse({}), 1);

  it("are listed by id over all databases, page by page", async () => {
    const ids = Array.from({ length: 23 }, (_, i) => `p${String(i).padStart(2, "0")}`);
    for (const id of ids) await store.put(row(id));
    const listed: string[] = [];
    for (let after: string | null = null; ; ) {
      const page: string[] = (await store.list("people", 5, after)).map(({ userId }) => userId);
      listed.push(...page);
      if (page.length < 5) break;
      after = page[4];
    }
    expect(listed).toEqual(ids);
  });

  it("keep what concurrent changes set, each with a newer settings version", async () => {
    const created = await store.put(row("busy"));
    await Promise.all([
      store.patch("people", "busy", { precision: "city" }, 2),
      store.patch("people", "busy", { homeLat: 1, homeLon: 2 }, 2),
      store.patch("people", "busy", { attributes: { tier: "gold" } }, 2),
    ]);
    expect(await store.get("people", "busy")).toEqual({
      ...created,
      precision: "city",
      homeLat: 1,
      homeLon: 2,
      attributes: { tier: "gold" },
      settingsVersion: created.settingsVersion + 3,
      updatedAt: 2,
    });
    expect(await store.patch("people", "nobody", { precision: "city" }, 2)).toBeNull();
  });

  it("page through their history newest first, each event once, also where times are equal", async () => {
    const events = Array.from({ length: 17 }, (_, i) => interaction(i, i % 3, 0, i % 4));
    await record("people", [{ userId: "reader", interactions: events }]);
    const read: { time: number; eventId: string }[] = [];
    for (;;) {
      const page = await store.history("people", "reader", 5, read.at(-1) ?? null);
      read.push(...page.map(({ time, eventId }) => ({ time, eventId })));
      if (page.length < 5) break;
    }
    const expected = events
      .map(({ time, eventId }) => ({ time, eventId }))
      .sort((a, b) => b.time - a.time || (a.eventId < b.eventId ? 1 : -1));
    expect(read).toEqual(expected);
  });
});
