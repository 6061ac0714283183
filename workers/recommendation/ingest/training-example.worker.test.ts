/// <reference types="@cloudflare/vitest-plugin/types" />
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { userSessionStub } from "../../../durable-objects/user-session/user-session-stub.ts";
import type { UserSession } from "../../../durable-objects/user-session.ts";
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
    const kept = await runInDurableObject(session("ann"), (_object, state) =>
      state.storage.sql.exec("SELECT rows, features FROM receipts").toArray(),
    );
    expect(kept).toEqual([{ rows: null, features: null }]);
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
