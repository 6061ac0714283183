/// <reference types="@cloudflare/vitest-plugin/types" />
import {
  applyD1Migrations,
  type D1Migration,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { userSessionStub } from "../../durable-objects/user-session/user-session-stub.ts";
import type { UserSession } from "../../durable-objects/user-session.ts";
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
    `${userId}${n}`,
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

const shown: Impression = {
  receipt: {
    recommendationId: "r1",
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
};

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
      session("fay").recordImpression("demo", "fay", shown),
    );
    expect(rows).toBe(1);
    expect(rows + alarms).toBeLessThanOrEqual(2);
  });
});
