/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type AcceptedInteraction, eventTypes } from "../../shared/contracts/event.ts";
import type { PlaceVisit } from "../../shared/contracts/queues.ts";
import { sumTotals } from "../../shared/contracts/totals.ts";
import { userInput } from "../../shared/contracts/user.ts";
import type { UserInteractions } from "./interaction-rows.ts";
import { userRowOf } from "./rows.ts";
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
  location: null,
  facts: { cell: null, lat: null, lon: null, category: null, price: null },
  first: event % 3 === 0,
  previous: [],
});

/** A life of a person, under a pseudonym of theirs. */
const lifeOf = (userId: string, generation = 0) => ({
  userId,
  pseudonym: Array.from(userId.padEnd(32), (c) => c.charCodeAt(0).toString(16)).join(""),
  generation,
});

/** Event n of a person always says the same: a repeated event is the same event. */
const anyBatch = fc.array(
  fc.record({ person: fc.nat(3), events: fc.array(fc.nat(40), { minLength: 1, maxLength: 12 }) }),
  { minLength: 1, maxLength: 4 },
);
const batchOf = (parts: { person: number; events: number[] }[]): UserInteractions[] =>
  parts.map(({ person, events }) => ({
    ...lifeOf(`u${person}`),
    interactions: events.map((n) => interaction(n, (n + person) % 5, n % 5, n % 7)),
  }));

const record = (application: string, batch: UserInteractions[]) =>
  store.recordInteractions(application, batch, crypto.randomUUID(), 1_700_000_000);

/** Totals recounted from the tables of interactions. */
async function recount(application: string): Promise<Map<string, { n: number; users: number }>> {
  const counted = new Map<string, { n: number; users: number }>();
  for (const database of databases) {
    const { results } = await database
      .prepare("SELECT product_id AS id, first FROM interactions WHERE application = ?")
      .bind(application)
      .all<{ id: string; first: number }>();
    for (const { id, first } of results) {
      const { n, users: people } = counted.get(id) ?? { n: 0, users: 0 };
      counted.set(id, { n: n + 1, users: people + first });
    }
  }
  return counted;
}

/** A database that counts the rows that its statements read. */
function countingReads(database: D1Database): { database: D1Database; count: () => number } {
  let rows = 0;
  const noted = <R extends D1Result>(result: R): R => {
    rows += result.meta.rows_read;
    return result;
  };
  const counting = {
    prepare: (sql: string) => ({
      bind: (...values: unknown[]) => {
        const bound = database.prepare(sql).bind(...values);
        return { bound, all: async () => noted(await bound.all()) };
      },
    }),
    batch: async (statements: { bound: D1PreparedStatement }[]) =>
      (await database.batch(statements.map(({ bound }) => bound))).map(noted),
  };
  return { database: counting as unknown as D1Database, count: () => rows };
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
        const totals = await store.lifetimeTotals(
          application,
          counted.map(([id]) => id),
        );
        totals.forEach((each, i) => {
          expect(eventTypes.reduce((sum, type) => sum + each[type], 0)).toBe(counted[i][1].n);
          expect(each.people).toBe(counted[i][1].users);
        });
      }),
      { numRuns: 25 },
    );
  });

  it("answers the hours that are named, absolute, and no others, however many a product has", async () => {
    const viewed = (n: number, hours: number) => ({
      ...lifeOf("u"),
      interactions: [interaction(n, 1, 0, hours)],
    });
    const told = async (n: number, hours: number) =>
      (await record("growth", [viewed(n, hours)])).totals.map(({ hours, ...rest }) => ({
        ...rest,
        views: hours.map(({ hour, view }) => [hour - 472_222, view]),
      }));
    for (let n = 10; n < 40; n++) await told(n, n);
    expect(await told(1, 0)).toEqual([{ productId: "p1", complete: false, views: [[0, 1]] }]);
    expect(await told(2, 5)).toEqual([{ productId: "p1", complete: false, views: [[5, 1]] }]);
    expect(await told(3, 0)).toEqual([{ productId: "p1", complete: false, views: [[0, 2]] }]);
    const [whole] = await store.hourlyTotals("growth", ["p1"]);
    expect([whole.complete, whole.hours.length]).toEqual([true, 32]);
  });

  it("reads as many rows for a product with a long past as for a new one", async () => {
    const rowsRead = async (n: number): Promise<number> => {
      const { database, count } = countingReads(environment.DB);
      const batch = [{ ...lifeOf("u"), interactions: [interaction(n, 1, 0, n)] }];
      await new UserStore([database]).recordInteractions("past", batch, `m${n}`, 1);
      return count();
    };
    const first = await rowsRead(0);
    for (let n = 1; n < 60; n++) await rowsRead(n);
    expect(first).toBeGreaterThan(0);
    expect(await rowsRead(60)).toBeLessThanOrEqual(first + 2);
  });

  it("does not see another application", async () => {
    await record("mine", [{ ...lifeOf("u"), interactions: [interaction(1, 1, 0, 0)] }]);
    expect(await store.listInteractions("theirs", "u", 10, null)).toEqual([]);
    expect((await store.lifetimeTotals("theirs", ["p1"]))[0].view).toBe(0);
  });

  it("gives the last of concurrent calls the totals of all of them", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        record("race", [{ ...lifeOf(`u${i}`), interactions: [interaction(i, 1, 0, 0)] }]),
      ),
    );
    const views = answers.map(({ totals }) => sumTotals(totals[0].hours));
    expect(views).toContainEqual((await store.lifetimeTotals("race", ["p1"]))[0]);
  });
});

describe("erase", () => {
  const recordLife = (generation: number, ...events: number[]) =>
    record("gone", [
      { ...lifeOf("u", generation), interactions: events.map((n) => interaction(n, 1, 0, n % 7)) },
    ]);
  const locate = (generation: number, seq: number) =>
    store.recordLocations("gone", [{ ...lifeOf("u", generation), visits: [visit(seq, 0)] }]);

  it("drops what comes late of a life that is over, whatever its time, and takes what is of the next", async () => {
    await recordLife(0, 1);
    expect(await locate(0, 1)).toBe(1);
    expect(await locate(0, 1)).toBe(0);
    expect(await store.erase("gone", lifeOf("u"), 100, 1)).toEqual({
      ...{ interactions: 1, locations: 1, profiles: 1, more: false },
    });
    expect((await recordLife(0, 2)).inserted).toBe(0);
    expect(await locate(0, 2)).toBe(0);
    expect(await store.listInteractions("gone", "u", 10, null)).toEqual([]);
    expect(await store.listVisits("gone", "u", 10, 0)).toEqual([]);
    expect(await store.get("gone", "u")).toBeNull();
    expect(await store.findTombstones("gone", [lifeOf("u").pseudonym, "0".repeat(64)])).toEqual([
      { pseudonym: lifeOf("u").pseudonym, generation: 0 },
    ]);
    // The same event of both lives, in one batch: that of the new one counts.
    const both = await record("gone", [
      { ...lifeOf("u", 0), interactions: [interaction(1, 1, 0, 0)] },
      { ...lifeOf("u", 1), interactions: [interaction(1, 1, 0, 0)] },
    ]);
    expect(both.inserted).toBe(1);
    expect(await locate(1, 1)).toBe(1);
    expect(await store.get("gone", "u")).not.toBeNull();
  });

  it("goes in steps, of which the first stops what comes late, and the last takes the profile", async () => {
    await recordLife(1, ...Array.from({ length: 23 }, (_, n) => 100 + n));
    for (let seq = 10; seq < 20; seq++) await locate(1, seq);
    const steps: number[] = [];
    for (let more = true; more; ) {
      const step = await store.erase("gone", lifeOf("u", 1), 10, 2);
      more = step.more;
      steps.push(step.interactions);
      expect((await recordLife(1, 500)).inserted).toBe(0);
      expect((await store.get("gone", "u")) === null).toBe(!more);
    }
    expect(steps).toEqual([10, 10, 4]);
    expect(await store.listInteractions("gone", "u", 10, null)).toEqual([]);
  });
});

describe("people", () => {
  const row = (userId: string): UserRow => userRowOf("people", userId, userInput.parse({}), 1);

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
    await record("people", [{ ...lifeOf("reader"), interactions: events }]);
    const read: { time: number; eventId: string }[] = [];
    for (;;) {
      const page = await store.listInteractions("people", "reader", 5, read.at(-1) ?? null);
      read.push(...page.map(({ time, eventId }) => ({ time, eventId })));
      if (page.length < 5) break;
    }
    const expected = events
      .map(({ time, eventId }) => ({ time, eventId }))
      .sort((a, b) => b.time - a.time || (a.eventId < b.eventId ? 1 : -1));
    expect(read).toEqual(expected);
  });
});
