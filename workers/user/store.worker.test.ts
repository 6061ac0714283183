/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type AcceptedInteraction, eventTypes } from "../../shared/contracts/event.ts";
import type { PlaceVisit } from "../../shared/contracts/queues.ts";
import { sumTotals } from "../../shared/contracts/totals.ts";
import { userInput } from "../../shared/contracts/user.ts";
import type { UserInteractionBatch } from "./interaction-rows.ts";
import { userRowOf } from "./rows.ts";
import { type UserRow, UserStore } from "./store.ts";
import { readAllInteractions } from "./testing/read-all-interactions.ts";
import { recountAll } from "./testing/recount-all.ts";

const environment: { DB: D1Database; DB_1: D1Database; MIGRATIONS: D1Migration[] } = Object.assign(
  { DB_1: env.DB, MIGRATIONS: [] },
  env,
);
/** Two databases, so that queries over several users are tested across both. */
const databases = [environment.DB, environment.DB_1];
const store = new UserStore(databases, "exact");
const hour = 3600;

const interaction = (event: number, product: number, type: number, hours: number): AcceptedInteraction => ({
  eventId: `e${event}`,
  type: eventTypes[type],
  productId: `p${product}`,
  time: 1_700_000_000 + hours * hour,
  recommendationId: null,
  location: null,
  facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
  first: event % 3 === 0,
  counts: true,
  networkKey: null,
  firstPurchase: false,
  previous: [],
});

/** A user with a made-up pseudonym, and a generation of their data. */
const userGenerationOf = (userId: string, generation = 0) => ({
  userId,
  pseudonym: Array.from(userId.padEnd(32), (c) => c.charCodeAt(0).toString(16)).join(""),
  generation,
});

/** Batches in which event n of a user always has the same content, so that a repeated event is the same event. */
const anyBatch = fc.array(
  fc.record({ user: fc.nat(3), events: fc.array(fc.nat(40), { minLength: 1, maxLength: 12 }) }),
  { minLength: 1, maxLength: 4 },
);
const batchOf = (parts: { user: number; events: number[] }[]): UserInteractionBatch[] =>
  parts.map(({ user, events }) => ({
    ...userGenerationOf(`u${user}`),
    interactions: events.map((n) => interaction(n, (n + user) % 5, n % 5, n % 7)),
  }));

const recordBatch = (application: string, batch: UserInteractionBatch[]) =>
  store.recordInteractions(application, batch, 1_700_000_000);

/** Returns the totals of an application, recounted from the interactions of all databases. */
async function recount(application: string): Promise<Map<string, { counted: Set<string>; users: number }>> {
  const recounted = new Map<string, { counted: Set<string>; users: number }>();
  for (const database of databases) {
    const rows = await readAllInteractions(database, application);
    for (const { userId: user, productId: id, type, time, first } of rows) {
      const { counted, users } = recounted.get(id) ?? { counted: new Set(), users: 0 };
      counted.add(`${user} ${type} ${Math.floor(time / hour)}`);
      recounted.set(id, { counted, users: users + first });
    }
  }
  return recounted;
}

/** Returns a wrapper of a database that counts the rows that its statements read. */
function countingReads(database: D1Database): { database: D1Database; count: () => number } {
  let rows = 0;
  const countRowsRead = <R extends D1Result>(result: R): R => {
    rows += result.meta.rows_read;
    return result;
  };
  const counting = {
    prepare: (sql: string) => ({
      bound: database.prepare(sql),
      bind: (...values: unknown[]) => {
        const bound = database.prepare(sql).bind(...values);
        return { bound, all: async () => countRowsRead(await bound.all()) };
      },
    }),
    batch: async (statements: { bound: D1PreparedStatement }[]) =>
      (await database.batch(statements.map(({ bound }) => bound))).map(countRowsRead),
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

describe("UserStore.recordInteractions", () => {
  it("keeps totals equal to a recount when batches repeat, overlap and run concurrently", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyBatch, { minLength: 1, maxLength: 5 }), async (batches) => {
        const application = `a${run++}`;
        await Promise.all(batches.map((batch) => recordBatch(application, batchOf(batch))));
        for (const batch of batches)
          expect((await recordBatch(application, batchOf(batch))).inserted).toBe(0);
        const recounted = [...(await recount(application))];
        const totals = await store.lifetimeTotals(
          application,
          recounted.map(([id]) => id),
        );
        totals.forEach((each, i) => {
          expect(eventTypes.reduce((sum, type) => sum + each[type], 0)).toBe(recounted[i][1].counted.size);
          expect(each.people).toBe(recounted[i][1].users);
        });
      }),
      { numRuns: 25 },
    );
  });

  it("returns the absolute totals of the hours in the batch, and of no other hours", async () => {
    const viewed = (n: number, hours: number) => ({
      ...userGenerationOf(`u${n}`),
      interactions: [interaction(n, 1, 0, hours)],
    });
    const recordView = async (n: number, hours: number) =>
      (await recordBatch("growth", [viewed(n, hours)])).totals.map(({ hours, ...rest }) => ({
        ...rest,
        views: hours.map(({ hour, view }) => [hour - 472_222, view]),
      }));
    for (let n = 10; n < 40; n++) await recordView(n, n);
    expect(await recordView(1, 0)).toEqual([{ productId: "p1", complete: false, views: [[0, 1]] }]);
    expect(await recordView(2, 5)).toEqual([{ productId: "p1", complete: false, views: [[5, 1]] }]);
    expect(await recordView(3, 0)).toEqual([{ productId: "p1", complete: false, views: [[0, 2]] }]);
    const [whole] = await store.hourlyTotals("growth", ["p1"]);
    expect([whole.complete, whole.hours.length]).toEqual([true, 32]);
  });

  it("L9: counts a user once by product, type and hour, in any number of calls", async () => {
    const recordViews = (user: string, from: number, count: number, hours = 0) =>
      recordBatch("once", [
        {
          ...userGenerationOf(user),
          interactions: Array.from({ length: count }, (_, i) => interaction(from + i, 1, 0, hours)),
        },
      ]);
    const views = async () => (await store.hourlyTotals("once", ["p1"]))[0].hours.map(({ view }) => view);
    const repeated = await recordViews("a", 0, 200);
    expect(sumTotals(repeated.totals[0].hours).view).toBe(1);
    await recordViews("a", 200, 5);
    expect(await views()).toEqual([1]);
    await recordViews("b", 0, 1);
    await recordViews("a", 300, 1, 1);
    expect(await views()).toEqual([2, 1]);
    // Another type, and another product, count by themselves.
    await recordBatch("once", [
      { ...userGenerationOf("a"), interactions: [interaction(400, 1, 3, 0), interaction(401, 2, 0, 0)] },
    ]);
    expect(
      (await store.lifetimeTotals("once", ["p1", "p2"])).map(({ view, purchase }) => [view, purchase]),
    ).toEqual([
      [3, 1],
      [1, 0],
    ]);
    const before = await store.hourlyTotals("once", ["p1", "p2"]);
    await recountAll(store.databases, "once");
    expect(await store.hourlyTotals("once", ["p1", "p2"])).toEqual(before);
  });

  it("L9: counts more rows of one user than a statement takes once", async () => {
    const many = Array.from({ length: 4500 }, (_, i) => interaction(i, 1, 0, 0));
    await recordBatch("many", [{ ...userGenerationOf("a"), interactions: many }]);
    expect((await store.lifetimeTotals("many", ["p1"]))[0].view).toBe(1);
  });

  it("L9: counts the people of rows that arrive after a repeated one", async () => {
    const row = (n: number, first: boolean) =>
      recordBatch("late", [
        {
          ...userGenerationOf("a"),
          interactions: [{ ...interaction(n, 1, 3, 0), first, firstPurchase: first }],
        },
      ]);
    await row(2, false);
    const { totals } = await row(1, true);
    expect(sumTotals(totals[0].hours)).toMatchObject({ purchase: 1, people: 1, buyers: 1 });
  });

  it("reads as many rows for a product with a long history as for a new one", async () => {
    const rowsRead = async (n: number): Promise<number> => {
      const counting = databases.map(countingReads);
      const batch = [{ ...userGenerationOf("u"), interactions: [interaction(n, 1, 0, n)] }];
      await new UserStore(
        counting.map(({ database }) => database),
        "exact",
      ).recordInteractions("past", batch, 1);
      return counting.reduce((sum, { count }) => sum + count(), 0);
    };
    const first = await rowsRead(0);
    for (let n = 1; n < 60; n++) await rowsRead(n);
    expect(first).toBeGreaterThan(0);
    expect(await rowsRead(60)).toBeLessThanOrEqual(first + 2);
  });

  it("reads each row once that the users of a batch stored in the same hour", async () => {
    const users = 60;
    const rowsRead = async (call: number): Promise<number> => {
      const counting = databases.map(countingReads);
      const batch = Array.from({ length: users }, (_, i) => ({
        ...userGenerationOf(`u${i}`),
        interactions: [interaction(call, call, 0, 0)],
      }));
      await new UserStore(
        counting.map(({ database }) => database),
        "exact",
      ).recordInteractions("hour", batch, 1);
      return counting.reduce((sum, { count }) => sum + count(), 0);
    };
    const reads: number[] = [];
    for (let call = 0; call < 5; call++) reads.push(await rowsRead(call));
    // Each earlier call stored a row of each user, which is read by the index, in the table and where rows are grouped.
    expect(reads[4] - reads[1]).toBeLessThanOrEqual(3 * users * 3);
  });

  it("does not change another application", async () => {
    await recordBatch("mine", [{ ...userGenerationOf("u"), interactions: [interaction(1, 1, 0, 0)] }]);
    expect(await store.listInteractions("theirs", "u", 10, null)).toEqual([]);
    expect((await store.lifetimeTotals("theirs", ["p1"]))[0].view).toBe(0);
  });

  it("returns the totals of all concurrent calls from the last one", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        recordBatch("race", [{ ...userGenerationOf(`u${i}`), interactions: [interaction(i, 1, 0, 0)] }]),
      ),
    );
    const views = answers.map(({ totals }) => sumTotals(totals[0].hours));
    expect(views).toContainEqual((await store.lifetimeTotals("race", ["p1"]))[0]);
  });
});

describe("UserStore.erase", () => {
  const erasedUser = (generation: number) => ({
    ...userGenerationOf("u", generation),
    logPseudonym: "c".repeat(64),
  });
  const recordGeneration = (generation: number, ...events: number[]) =>
    recordBatch("gone", [
      { ...userGenerationOf("u", generation), interactions: events.map((n) => interaction(n, 1, 0, n % 7)) },
    ]);
  const recordVisit = (generation: number, seq: number) =>
    store.recordLocations("gone", [{ ...userGenerationOf("u", generation), visits: [visit(seq, 0)] }]);

  it("drops late data of an erased generation, whatever its time, and accepts data of the next one", async () => {
    await recordGeneration(0, 1);
    expect(await recordVisit(0, 1)).toBe(1);
    expect(await recordVisit(0, 1)).toBe(0);
    expect(await store.erase("gone", erasedUser(0), "erased", 100, 1)).toEqual({
      interactions: 1,
      locations: 1,
      profiles: 1,
      more: false,
    });
    expect((await recordGeneration(0, 2)).inserted).toBe(0);
    expect(await recordVisit(0, 2)).toBe(0);
    expect(await store.listInteractions("gone", "u", 10, null)).toEqual([]);
    expect(await store.listVisits("gone", "u", 10, 0)).toEqual([]);
    expect(await store.get("gone", "u")).toBeNull();
    const { pseudonym, logPseudonym } = erasedUser(0);
    const tombstones = await store.findTombstones("gone", [pseudonym, "0".repeat(64), logPseudonym]);
    expect(tombstones).toEqual(
      [pseudonym, logPseudonym].map((name) => ({ pseudonym: name, generation: 0, mergedGeneration: -1 })),
    );
    // One batch with the same event of both generations: the event of the new generation counts.
    const both = await recordBatch("gone", [
      { ...userGenerationOf("u", 0), interactions: [interaction(1, 1, 0, 0)] },
      { ...userGenerationOf("u", 1), interactions: [interaction(1, 1, 0, 0)] },
    ]);
    expect(both.inserted).toBe(1);
    expect(await recordVisit(1, 1)).toBe(1);
    expect(await store.get("gone", "u")).not.toBeNull();
  });

  it("runs in steps: the first drops late data, the last deletes the profile", async () => {
    await recordGeneration(1, ...Array.from({ length: 23 }, (_, n) => 100 + n));
    for (let seq = 10; seq < 20; seq++) await recordVisit(1, seq);
    const steps: number[] = [];
    for (let more = true; more; ) {
      const step = await store.erase("gone", erasedUser(1), "erased", 10, 2);
      more = step.more;
      steps.push(step.interactions);
      expect((await recordGeneration(1, 500)).inserted).toBe(0);
      expect((await store.get("gone", "u")) === null).toBe(!more);
    }
    expect(steps).toEqual([10, 10, 4]);
    expect(await store.listInteractions("gone", "u", 10, null)).toEqual([]);
  });
});

describe("UserStore", () => {
  const row = (userId: string): UserRow => userRowOf("people", userId, userInput.parse({}), 1);

  it("lists users by id over all databases, page by page", async () => {
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

  it("E8: lists users with ids of any Unicode in one order over all databases and pages", async () => {
    const ids = ["～1", "😀2", "a/b", "a:b", "a b", "a", "ünï", "用户", "\ud83d\ude00", "%2F"];
    for (const id of ids) await store.put(userRowOf("unicode", id, userInput.parse({}), 1));
    const listed: string[] = [];
    for (;;) {
      const page = await store.list("unicode", 3, listed.at(-1) ?? null);
      if (page.length === 0) break;
      listed.push(...page.map(({ userId }) => userId));
    }
    const bytes = (text: string) => [...new TextEncoder().encode(text)];
    const order = (a: string, b: string) => {
      const [left, right] = [bytes(a), bytes(b)];
      const at = left.findIndex((byte, i) => byte !== right[i]);
      return at < 0 ? left.length - right.length : left[at] - (right[at] ?? -1);
    };
    expect(listed).toEqual([...ids].sort(order));
  });

  it("keeps the columns of concurrent patches, and increments the settings version for each", async () => {
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
      approximateBefore: expect.any(Number),
      cityBefore: expect.any(Number),
    });
    expect(await store.patch("people", "nobody", { precision: "city" }, 2)).toBeNull();
  });

  it("pages through interactions newest first, each event once, also when times are equal", async () => {
    const events = Array.from({ length: 17 }, (_, i) => interaction(i, i % 3, 0, i % 4));
    await recordBatch("people", [{ ...userGenerationOf("reader"), interactions: events }]);
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
