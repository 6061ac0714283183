/// <reference types="@cloudflare/vitest-plugin/types" />
import {
  applyD1Migrations,
  type D1Migration,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { UserSession } from "../../durable-objects/user-session/user-session.ts";
import { userSessionStub } from "../../durable-objects/user-session/user-session-stub.ts";
import type { Interaction } from "../../shared/contracts/event.ts";
import type { Impression } from "../../shared/contracts/impression.ts";
import { countRowsWritten, type RowsWritten } from "../../shared/testing/rows-written.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import { UserStore } from "../../workers/user/store.ts";

const environment: {
  USER_SESSION: DurableObjectNamespace<UserSession>;
  DB: D1Database;
  MIGRATIONS: D1Migration[];
} = Object.assign({ USER_SESSION: {} as never, DB: {} as never, MIGRATIONS: [] }, env);
beforeAll(() => applyD1Migrations(environment.DB, environment.MIGRATIONS));

/** Returns the user store, and a function that returns how many rows its statements have written according to D1. */
function countingUserStore() {
  let written = 0;
  const counted = new Proxy(environment.DB, {
    get(database, name) {
      if (name !== "batch") {
        const value = Reflect.get(database, name);
        return typeof value === "function" ? value.bind(database) : value;
      }
      return async (statements: D1PreparedStatement[]) => {
        const results = await database.batch(statements);
        for (const { meta } of results) written += meta.rows_written;
        return results;
      };
    },
  });
  return { store: new UserStore([counted]), written: () => written };
}

const session = (userId: string) => userSessionStub(environment.USER_SESSION, "demo", userId, null);
const event = (n: number): Interaction => ({
  eventId: `e${n}`,
  type: "view",
  productId: `p${n % 9}`,
  time: Date.now() / 1000,
  recommendationId: null,
  location: { lat: 59.91, lon: 10.75 },
  facts: {
    cell: "860ec8b37ffffff",
    lat: 59.91,
    lon: 10.75,
    category: "cafe",
    priceMinor: 400,
    currency: "EUR",
  },
});

/** Delivers an event completely: ingests it, stores it in the user's database and confirms it. */
async function deliverEvent(userId: string, n: number, store: UserStore): Promise<void> {
  const sent = event(n);
  const ingested = await session(userId).ingest("demo", userId, [sent], false);
  const row = ingested.ok ? ingested.value.results[0].row : null;
  if (row === null) throw new Error(`UserSession.ingest did not accept event ${sent.eventId}.`);
  const { seq: _, ...added } = row;
  const interaction = { ...sent, ...added };
  await store.recordInteractions(
    "demo",
    [{ userId, pseudonym: session(userId).id.toString(), generation: 0, interactions: [interaction] }],
    sent.time,
  );
  await session(userId).confirmRows([row.seq], 0);
}

/** Returns how many rows and alarms `work` writes in a user's object. */
async function rowsWrittenBy(userId: string, work: () => Promise<void>): Promise<RowsWritten> {
  const count = await runInDurableObject(session(userId), (_object, state) =>
    countRowsWritten(state.storage),
  );
  await work();
  return count();
}

/** Returns an impression of now, without products. */
const shownAs = (recommendationId: string): Impression => ({
  receipt: {
    recommendationId,
    time: new Date().toISOString(),
    model: { version: "v", sha256: "0".repeat(64) },
    variant: "none",
    location: { city: null, country: null, precision: "exact", source: "none" },
    isPlacePrivate: true,
    candidates: 1,
    items: [],
    stages: [],
  },
  featureHash: "h",
  rows: [],
  features: new Uint8Array(),
});

describe("rows written", () => {
  it("are at most 7 per event, including the deletion of expired rows", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const { store, written } = countingUserStore();
      await deliverEvent("eve", 0, store);
      const before = written();
      const count = 64;
      const object = await rowsWrittenBy("eve", async () => {
        for (let n = 1; n <= count; n++) {
          vi.setSystemTime(Date.now() + 10_000);
          await deliverEvent("eve", n, store);
          // The alarm is due a minute after the first event since it last ran.
          if (n % 7 === 0) await runDurableObjectAlarm(session("eve"));
        }
        vi.setSystemTime(Date.now() + 9 * daySeconds * 1000);
        await deliverEvent("eve", count + 1, store);
        await runDurableObjectAlarm(session("eve"));
      });
      const remaining = await runInDurableObject(session("eve"), (_object, state) =>
        state.storage.sql.exec("SELECT id FROM journal").toArray(),
      );
      expect(remaining).toEqual([{ id: `event:e${count + 1}` }]);
      const inUserObject = (object.rows + object.alarms) / (count + 1);
      const inDatabase = (written() - before) / (count + 1);
      expect(inDatabase).toBeLessThanOrEqual(3);
      expect(inUserObject + inDatabase).toBeLessThanOrEqual(7);
    } finally {
      vi.useRealTimers();
    }
  });

  it("are at most 2 per recommendation", async () => {
    await session("fay").ingest("demo", "fay", [event(1)], false);
    const { rows, alarms } = await rowsWrittenBy("fay", () =>
      session("fay").recordImpression("demo", "fay", shownAs("r1")),
    );
    expect(rows).toBe(1);
    expect(rows + alarms).toBeLessThanOrEqual(2);
  });
});

describe("a receipt", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
  afterEach(() => void vi.useRealTimers());

  /** Stores closed receipts of the day before. */
  const addClosed = (userId: string, count: number) =>
    runInDurableObject(session(userId), (_object, { storage: { sql } }) => {
      sql.exec(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO receipts SELECT 0, 'old' || i, ?, 0, ?, NULL, NULL FROM n`,
        ...[count, Date.now() / 1000 - daySeconds, JSON.stringify(shownAs("old").receipt)],
      );
    });

  /** Returns the rows of an impression: stored, followed by an outcome or none, closed, and after a wake-up. */
  async function rowsOfReceipt(userId: string, closed: number, outcome: string | null) {
    await session(userId).ingest("demo", userId, [event(1)], false);
    await session(userId).confirmRows([1], 0);
    await addClosed(userId, closed);
    await evictDurableObject(session(userId));
    // The second impression finds the object awake.
    const store = (id: string) => session(userId).recordImpression("demo", userId, shownAs(id));
    const counts = { woken: await rowsWrittenBy(userId, () => store("r2")) } as Record<string, RowsWritten>;
    counts.stored = await rowsWrittenBy(userId, () => store("r3"));
    if (outcome !== null)
      counts.followed = await rowsWrittenBy(userId, async () => {
        const click = { ...event(2), type: "click" as const, recommendationId: "r3" };
        await session(userId).ingest("demo", userId, [click], false);
        await session(userId).confirmRows([2], 0);
      });
    vi.setSystemTime(Date.now() + 1_801_000);
    counts.closed = await rowsWrittenBy(userId, async () => {
      await runDurableObjectAlarm(session(userId));
    });
    return counts;
  }

  it("costs no more rows, written or read, among 3,000 closed ones than among 10", async () => {
    for (const outcome of [null, "click"]) {
      const few = await rowsOfReceipt(`few ${outcome}`, 10, outcome);
      expect(await rowsOfReceipt(`many ${outcome}`, 3000, outcome)).toEqual(few);
      expect(few.stored).toMatchObject({ rows: 1, alarms: 0 });
      expect(few.stored.read).toBeLessThanOrEqual(4);
      // Two windows close. A training example is one row more; without an outcome, these two ids give none.
      expect(few.closed.rows).toBe(outcome === null ? 2 : 3);
    }
  });
});
