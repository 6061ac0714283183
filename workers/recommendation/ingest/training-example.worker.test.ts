/// <reference types="@cloudflare/vitest-plugin/types" />
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { UserSession } from "../../../durable-objects/user-session/user-session.ts";
import { userSessionStub } from "../../../durable-objects/user-session/user-session-stub.ts";
import { featureShape } from "../../../model/features/compute-features.ts";
import { packFeatures } from "../../../model/features/pack-features.ts";
import { randomBatch } from "../../../model/onnx/random-batch.ts";
import type { EventType, Interaction } from "../../../shared/contracts/event.ts";
import type { Impression } from "../../../shared/contracts/impression.ts";

const environment: { USER_SESSION: DurableObjectNamespace<UserSession> } = Object.assign(
  { USER_SESSION: {} as never },
  env,
);
const session = (userId: string) => userSessionStub(environment.USER_SESSION, "demo", userId, null);

const shownAt = Date.UTC(2026, 0, 5, 12) / 1000;
const indices = [4, 2, 0];
const features = packFeatures(featureShape, randomBatch(featureShape, 5, 1), indices);
const impressionFor = (recommendationId: string): Impression => ({
  receipt: {
    recommendationId,
    time: new Date(shownAt * 1000).toISOString(),
    model: { version: "v1", sha256: "0".repeat(64) },
    variant: "canary",
    location: { city: null, country: "NO", precision: "exact", source: "request" },
    isPlacePrivate: true,
    candidates: 500,
    items: [],
    stages: [],
  },
  featureHash: featureShape.hash,
  rows: ["a", "b", "c"].map((productId, i) => ({
    productId,
    position: i < 2 ? i + 1 : 0,
    propensity: i < 2 ? 0.9 : 0,
    score: 1 - i / 10,
    category: "cafe",
  })),
  features,
});

const event = (
  eventId: string,
  type: EventType,
  productId: string,
  after: number,
  recommendationId = "r1",
): Interaction => ({
  eventId,
  type,
  productId,
  time: shownAt + after,
  recommendationId,
  location: null,
  facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
});

const atSecond = (after: number): unknown => vi.setSystemTime((shownAt + after) * 1000);
const send = (userId: string, events: Interaction[]) => session(userId).ingest("demo", userId, events, false);

/** Returns the rows that the user object sends to the training log. */
const loggedRows = (userId: string) =>
  runInDurableObject(session(userId), (_object, state) =>
    state.storage.sql
      .exec<{ body: string }>("SELECT body FROM journal WHERE id NOT LIKE 'event:%' ORDER BY seq")
      .toArray()
      .map(({ body }) => JSON.parse(body)),
  );

/** Returns the receipts of a user, and which of them are open. */
const receipts = (userId: string) =>
  runInDurableObject(session(userId), (_object, state) =>
    state.storage.sql.exec("SELECT open, id, rows, features FROM receipts ORDER BY open, id").toArray(),
  );

/** Gives an object the table of receipts that version 0.2 had, and lets it leave memory. */
async function downgradeReceipts(userId: string): Promise<void> {
  await runInDurableObject(session(userId), (_object, { storage: { sql } }) => {
    sql.exec(`
      CREATE TABLE old (
        id TEXT PRIMARY KEY, time REAL NOT NULL, receipt TEXT NOT NULL, rows TEXT, features BLOB) WITHOUT ROWID;
      INSERT INTO old SELECT id, time, receipt, rows, features FROM receipts;
      DROP TABLE receipts;
      ALTER TABLE old RENAME TO receipts;
    `);
  });
  await evictDurableObject(session(userId));
}

describe("a logged impression", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
    atSecond(0);
  });
  afterEach(() => void vi.useRealTimers());

  it("becomes one training example with the strongest outcome and the served features", async () => {
    await session("ann").recordImpression("demo", "ann", impressionFor("r1"));
    atSecond(60);
    const events = [event("e1", "click", "b", 50), event("e2", "purchase", "b", 55)];
    await send("ann", events);
    await send("ann", events);
    await session("ann").recordImpression("demo", "ann", impressionFor("r1"));
    atSecond(1801);
    expect(await runDurableObjectAlarm(session("ann"))).toBe(true);
    atSecond(4000);
    await runDurableObjectAlarm(session("ann"));
    const [only, ...rest] = await loggedRows("ann");
    expect(rest).toEqual([]);
    expect(only.kind).toBe("example");
    expect(only.example).toMatchObject({ variant: "canary", modelVersion: "v1", weight: 1, candidates: 500 });
    expect(only.example.rows.map(({ outcome }: { outcome: string | null }) => outcome)).toEqual([
      null,
      "purchase",
      null,
    ]);
    expect(Uint8Array.from(atob(only.example.features), (each) => each.charCodeAt(0))).toEqual(features);
    expect(await receipts("ann")).toEqual([{ open: 0, id: "r1", rows: null, features: null }]);
    // An impression that comes once more opens no window again.
    await session("ann").recordImpression("demo", "ann", impressionFor("r1"));
    expect(await receipts("ann")).toHaveLength(1);
  });

  it("counts once in its experiment, with or without outcome, also if it is sent twice", async () => {
    const shown = (id: string) => {
      const each = impressionFor(id);
      return { ...each, receipt: { ...each.receipt, variant: "rollout:v2/canary" } };
    };
    for (const id of ["r1", "r2", "r1"]) await session("cleo").recordImpression("demo", "cleo", shown(id));
    atSecond(60);
    const events = [event("e1", "click", "b", 50), event("e2", "purchase", "a", 55)];
    await send("cleo", events);
    await send("cleo", events);
    for (const after of [1801, 4000]) {
      atSecond(after);
      await runDurableObjectAlarm(session("cleo"));
    }
    const counts = (await loggedRows("cleo")).filter(({ kind }) => kind === "counts");
    const arm = { experiment: "rollout:v2", arm: "canary" };
    expect(counts.map((row) => ({ ...row.counts, successes: null }))).toEqual([
      { ...arm, exposures: 1, successes: null },
      { ...arm, exposures: 2, successes: null },
    ]);
    expect(counts[1].counts.successes).toBe(1);
  });

  it("of a list with pages counts once in its experiment, with what the user did on all pages", async () => {
    const page = (id: string, after: number, continues?: string) => {
      const each = impressionFor(id);
      const time = new Date((shownAt + after) * 1000).toISOString();
      const receipt = { ...each.receipt, time, variant: "e:1/blue", ...(continues ? { continues } : {}) };
      return { ...each, receipt };
    };
    await session("pia").recordImpression("demo", "pia", page("r1", 0));
    atSecond(60);
    await session("pia").recordImpression("demo", "pia", page("r2", 60, "r1"));
    await session("pia").recordImpression("demo", "pia", page("r3", 60, "another-list"));
    await send("pia", [event("e1", "click", "b", 90, "r2")]);
    for (const after of [1801, 4000]) {
      atSecond(after);
      await runDurableObjectAlarm(session("pia"));
    }
    const rows = await loggedRows("pia");
    expect(rows.filter(({ kind }) => kind === "counts").map(({ counts }) => counts)).toMatchObject([
      { experiment: "e:1", arm: "blue", exposures: 1, successes: 1 },
    ]);
    // The click is an outcome of the page that it was made on.
    expect(rows.find(({ example }) => example?.recommendationId === "r2")).toMatchObject({
      example: { rows: [{ outcome: null }, { outcome: "click" }, { outcome: null }] },
    });
  });

  it("is corrected by late events of the click window and by purchases within a week", async () => {
    await session("bo").recordImpression("demo", "bo", impressionFor("r1"));
    await send("bo", [event("e1", "click", "a", 10)]);
    atSecond(1801);
    await runDurableObjectAlarm(session("bo"));
    atSecond(5000);
    const late = [
      event("e2", "cart", "b", 1700),
      event("e3", "click", "c", 1900),
      event("e4", "purchase", "c", 4000),
    ];
    await send("bo", late);
    await send("bo", late);
    atSecond(8 * 86_400);
    await send("bo", [event("e5", "purchase", "a", 7 * 86_400 + 1)]);
    const [, ...corrections] = await loggedRows("bo");
    expect(corrections.map(({ correction }) => [correction.productId, correction.outcome])).toEqual([
      ["b", "cart"],
      ["c", "purchase"],
    ]);
  });

  it("counts recent events that came before it, the newest hundred, once each", async () => {
    const early = Array.from({ length: 120 }, (_, i) => event(`e${i}`, "click", `x${i}`, -i, "other"));
    await send("lea", [
      event("lost", "purchase", "a", -1),
      event("late", "purchase", "c", -1801),
      ...early.slice(0, 99),
      event("kept", "cart", "b", -2),
    ]);
    await send("lea", [event("late again", "purchase", "c", -1801)]);
    await session("lea").recordImpression("demo", "lea", impressionFor("r1"));
    await session("lea").recordImpression("demo", "lea", impressionFor("r1"));
    atSecond(1801);
    await runDurableObjectAlarm(session("lea"));
    const [{ example }] = await loggedRows("lea");
    expect(example.rows.map(({ outcome }: { outcome: string | null }) => outcome)).toEqual([
      null,
      "cart",
      null,
    ]);
  });

  it("of version 0.2, open or closed, is followed, closed and found as before", async () => {
    await session("old").recordImpression("demo", "old", impressionFor("r1"));
    atSecond(1801);
    await runDurableObjectAlarm(session("old"));
    const late = impressionFor("r2");
    const time = new Date((shownAt + 1800) * 1000).toISOString();
    await session("old").recordImpression("demo", "old", { ...late, receipt: { ...late.receipt, time } });
    await send("old", [event("e1", "click", "a", 1805, "r2")]);
    await downgradeReceipts("old");
    await send("old", [event("e2", "cart", "b", 1810, "r2"), event("e3", "purchase", "c", 1810, "r1")]);
    expect(await receipts("old")).toMatchObject([
      { open: 0, id: "r1", rows: null, features: null },
      { open: 1, id: "r2" },
    ]);
    for (const id of ["r1", "r2"])
      expect((await session("old").receipt("demo", id))?.recommendationId).toBe(id);
    await downgradeReceipts("old");
    atSecond(3601);
    expect(await runDurableObjectAlarm(session("old"))).toBe(true);
    const logged = (await loggedRows("old")).slice(-2);
    expect(logged).toMatchObject([
      { correction: { recommendationId: "r1", productId: "c", outcome: "purchase" } },
      { example: { recommendationId: "r2" } },
    ]);
    expect(logged[1].example.rows.map(({ outcome }: { outcome: string | null }) => outcome)).toEqual([
      ...["click", "cart"],
      null,
    ]);
    expect(await receipts("old")).toMatchObject([
      { open: 0, id: "r1" },
      { open: 0, id: "r2", rows: null },
    ]);
  });

  it("of version 0.2 stays as it is if its table cannot be replaced", async () => {
    await session("kim").recordImpression("demo", "kim", impressionFor("r1"));
    await downgradeReceipts("kim");
    const failure = await runInDurableObject(session("kim"), async (object, { storage: { sql } }) => {
      // The row has no receipt, so that the copy fails after the table was renamed.
      sql.exec(`
        ALTER TABLE receipts RENAME TO old;
        CREATE TABLE receipts (id TEXT PRIMARY KEY, time REAL, receipt TEXT, rows TEXT, features BLOB) WITHOUT ROWID;
        INSERT INTO receipts SELECT * FROM old;
        INSERT INTO receipts (id, time) VALUES ('broken', 0);
        DROP TABLE old;
      `);
      const failed = await object.receipt("demo", "r1").catch(String);
      sql.exec("DELETE FROM receipts WHERE id = 'broken'");
      return failed;
    });
    expect(failure).toContain("NOT NULL constraint failed: receipts.receipt");
    expect((await session("kim").receipt("demo", "r1"))?.recommendationId).toBe("r1");
    expect(await receipts("kim")).toMatchObject([{ open: 1, id: "r1" }]);
  });

  it("has an alarm, whether there was an earlier one, a later one or none", async () => {
    const alarm = (change: (storage: DurableObjectStorage) => unknown = () => undefined) =>
      runInDurableObject(session("dan"), async (_, state) => {
        await change(state.storage);
        return state.storage.getAlarm();
      });
    // The runtime's alarms follow the real clock.
    vi.useRealTimers();
    const shown = Math.floor(Date.now() / 1000);
    const record = (id: string) => {
      const each = impressionFor(id);
      const receipt = { ...each.receipt, time: new Date(shown * 1000).toISOString() };
      return session("dan").recordImpression("demo", "dan", { ...each, receipt });
    };
    const closes = (shown + 1800) * 1000;
    await record("r1");
    expect(await alarm()).toBe(closes);
    // An earlier alarm stays: it schedules the rest.
    await alarm((storage) => storage.setAlarm(closes - 60_000));
    await evictDurableObject(session("dan"));
    await record("r2");
    expect(await alarm()).toBe(closes - 60_000);
    await alarm((storage) => storage.setAlarm(closes + 60_000));
    await evictDurableObject(session("dan"));
    await record("r3");
    expect(await alarm()).toBe(closes);
    await alarm((storage) => storage.deleteAlarm());
    await evictDurableObject(session("dan"));
    await record("r4");
    expect(await alarm()).toBe(closes);
  });
});
