/// <reference types="@cloudflare/vitest-plugin/types" />
import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { EventInput } from "../../shared/contracts/event.ts";
import { eventTypes } from "../../shared/contracts/event.ts";
import type { Impression } from "../../shared/contracts/impression.ts";
import type { Merge } from "../../shared/contracts/merge.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import { ExperimentCountsTable } from "../../shared/experiments/experiment-counts.ts";
import { readAllInteractions } from "../../workers/user/testing/read-all-interactions.ts";
import { expectedTotals } from "../support/expected-totals.ts";
import { bindings, type EventPipeline, productIds, roundMs } from "./event-pipeline.ts";
import { faults, queuedMessages } from "./fault-injector.ts";
import { isLong, newPipeline, prepareFaultTests } from "./set-up.ts";

const [from, into] = [`anon-${"a".repeat(22)}`, "ann"];
const mergeId = "merge-1";

prepareFaultTests();

/**
 * Returns an event of a user. Events 0 to 9 have ids that both users use: the even ones say the same, the odd ones
 * something else.
 */
function eventOf(userId: string, n: number, now: number): EventInput {
  const isShared = n < 10;
  const variant = isShared && n % 2 === 0 ? 0 : Number(userId === from);
  return {
    eventId: isShared ? `shared-${n}` : `${userId}-${n}`,
    userId,
    type: eventTypes[(n + variant) % eventTypes.length],
    productId: productIds[(n * 3 + variant) % productIds.length],
    timestamp: new Date(now - n * 1_800_000).toISOString(),
  };
}

const start = Date.UTC(2026, 5, 1, 12);
const beginMerge = async (pipeline: EventPipeline): Promise<Merge> =>
  unwrap(
    await pipeline
      .session(from)
      .beginMerge(
        pipeline.application,
        from,
        { userId: into, pseudonym: pipeline.session(into).id.toString() },
        mergeId,
      ),
    "the user object",
  );
const mergeState = (pipeline: EventPipeline) =>
  pipeline.session(from).merge(pipeline.application, mergeId, null);
const beginErasure = (pipeline: EventPipeline, userId: string) =>
  pipeline.session(userId).erase(pipeline.application, userId, `erasure-of-${userId}`);

/** Returns an impression of now. */
const shownNow = (): Impression => ({
  receipt: {
    ...{ recommendationId: "held", time: new Date().toISOString(), variant: "none", candidates: 1 },
    ...{ model: { version: "v", sha256: "0".repeat(64) }, isPlacePrivate: true, items: [], stages: [] },
    location: { city: null, country: null, precision: "exact", source: "none" },
  },
  ...{ featureHash: "h", rows: [], features: new Uint8Array() },
});

/** Runs alarms and delivers messages, without faults, until merges and erasures have ended. */
async function drain(pipeline: EventPipeline, erased: string | null): Promise<Merge["status"]> {
  faults.stop();
  for (let round = 0; round < 20; round++) {
    vi.setSystemTime(Date.now() + roundMs);
    await pipeline.deliverAll([from, into, from]);
    const merge = await mergeState(pipeline);
    const erasure =
      erased === null
        ? null
        : await pipeline.session(erased).erasure(pipeline.application, `erasure-of-${erased}`);
    if (merge && merge.status !== "running" && erasure?.status !== "running") return merge.status;
  }
  throw new Error(`The merge did not end: ${JSON.stringify(await mergeState(pipeline))}`);
}

/** Returns how many rows each table of a user's object holds, apart from those that name no user. */
async function objectRows(pipeline: EventPipeline, userId: string): Promise<Record<string, number>> {
  return runInDurableObject(pipeline.session(userId), (_object, { storage: { sql } }) => {
    const tables = sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .toArray();
    return Object.fromEntries(
      tables
        .map(
          ({ name }) => [name, sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${name}`).one().n] as const,
        )
        .filter(([name, n]) => n > 0 && !["meta", "merges", "erasures"].includes(name)),
    );
  });
}

const idsOf = (keys: readonly string[], userId: string) =>
  keys.filter((key) => key.startsWith(`${userId}/`)).map((key) => key.slice(userId.length + 1));

/** Expects that nothing of a user is stored, nor of the other one under its name. */
async function expectNothingOf(pipeline: EventPipeline, userId: string): Promise<void> {
  const { keys } = await pipeline.storedInteractions();
  expect(idsOf(keys, userId)).toEqual([]);
  expect(await objectRows(pipeline, userId)).toEqual({});
  const pseudonym = pipeline.session(userId).id.toString();
  const counts = await new ExperimentCountsTable(bindings.REGISTRY).ofUser(pipeline.application, pseudonym);
  expect(counts).toEqual([]);
}

/**
 * Expects that the user who stays has all events of both, each once, and that all totals are as before. An erasure of the
 * merged user removes only that user's lines of the training log.
 */
async function expectMerged(pipeline: EventPipeline, erased: string | null): Promise<void> {
  const sent = [...pipeline.sent.values()].filter(({ userId, eventId }) =>
    pipeline.acknowledged.has(`${userId}/${eventId}`),
  );
  const ids = (userId: string) => sent.filter((each) => each.userId === userId).map(({ eventId }) => eventId);
  const own = new Set(ids(into));
  const expected = ids(from).map((id) => {
    if (!own.has(id)) return id;
    return Number(id.slice("shared-".length)) % 2 === 0 ? null : "derived";
  });
  const { keys, totals } = await pipeline.storedInteractions();
  const stored = idsOf(keys, into).map((id) => (id.startsWith("merged-") ? "derived" : id));
  expect(stored.sort()).toEqual([...own, ...expected.filter((id) => id !== null)].sort());
  const byProduct = (map: Map<string, unknown>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  expect(byProduct(totals)).toEqual(byProduct(expectedTotals(sent)));
  expect(await pipeline.loggedInteractions()).toBe(erased === from ? own.size : sent.length);
  expect((await pipeline.storedProfile(into))?.events ?? 0).toBe(sent.length);
  await expectNothingOf(pipeline, from);
}

/** Expects the outcome of a merge during which a user may have been erased. */
async function expectOutcome(
  pipeline: EventPipeline,
  status: Merge["status"],
  erased: string | null,
): Promise<void> {
  if (erased === into) {
    for (const userId of [from, into]) await expectNothingOf(pipeline, userId);
    expect(await pipeline.loggedInteractions()).toBe(0);
    return;
  }
  if (status === "done") return expectMerged(pipeline, erased);
  expect([status, erased]).toEqual(["cancelled", from]);
  const readBy = (userId: string) =>
    pipeline.session(from).merge(pipeline.application, mergeId, pipeline.session(userId).id.toString());
  expect(await readBy(into)).toMatchObject({ status: "cancelled", reason: "from_erased" });
  expect(await readBy(from)).toBeNull();
  await expectNothingOf(pipeline, from);
  const own = [...pipeline.acknowledged].filter((key) => key.startsWith(`${into}/`));
  const { keys } = await pipeline.storedInteractions();
  expect(keys).toEqual(own.sort());
  expect(await pipeline.loggedInteractions()).toBe(own.length);
  expect((await pipeline.storedProfile(into))?.events ?? 0).toBe(own.length);
  const rows = await objectRows(pipeline, into);
  expect(
    Object.keys(rows).filter((name) => name.startsWith("staged") || name.startsWith("incoming")),
  ).toEqual([]);
}

/** Expects that the next user with the id of an erased one is a new user, whom an erasure of the other one leaves alone. */
async function expectFree(pipeline: EventPipeline): Promise<void> {
  const now = Date.now();
  const { accepted, rejected } = await pipeline.send([eventOf(from, 0, now), eventOf(from, 99, now)]);
  expect({ accepted, rejected }).toEqual({ accepted: 2, rejected: [] });
  await beginErasure(pipeline, into);
  await drain(pipeline, into);
  expect((await pipeline.storedProfile(from))?.events).toBe(2);
  const { keys } = await pipeline.storedInteractions();
  expect([...keys].sort()).toEqual([`${from}/${eventOf(from, 0, now).eventId}`, `${from}/${from}-99`].sort());
}

/** Returns how many interactions of the known user have a location. */
async function locatedInteractions({ application }: EventPipeline): Promise<number> {
  let located = 0;
  for (const database of [bindings.DB, bindings.DB_1])
    located += (await readAllInteractions(database, application)).filter(
      ({ userId, lat }) => userId === into && lat !== null,
    ).length;
  return located;
}

/** Sends events of both users, all of which are delivered. */
async function sendDelivered(pipeline: EventPipeline): Promise<void> {
  vi.setSystemTime(start);
  for (const userId of [from, into])
    await pipeline.send([0, 1, 2, 3, 12, 13, 14].map((n) => eventOf(userId, n, start)));
  await pipeline.deliverMessages(() => true);
  await pipeline.confirmDelivered();
}

describe("a merge", () => {
  /** Larger than the number of calls of services and objects that a merge makes. Each of them fails in one case. */
  const maxCalls = 60;

  it.each([
    ["nobody", null],
    ["the anonymous user", from],
    ["the user who stays", into],
  ])(
    "ends after all services stop at any of its steps, with an erasure of %s at that moment",
    async (_name, erased) => {
      for (const lastCallWorks of [false, true]) {
        let hasStopped = true;
        for (let n = 0; hasStopped; n++) {
          expect(n).toBeLessThan(maxCalls);
          const pipeline = await newPipeline();
          await sendDelivered(pipeline);
          faults.stopAfter(n, lastCallWorks);
          await beginMerge(pipeline);
          ({ hasStopped } = faults);
          for (const userId of [from, into]) await pipeline.evictSession(userId);
          faults.stop();
          if (erased) await beginErasure(pipeline, erased);
          const status = await drain(pipeline, erased);
          await expectOutcome(pipeline, status, erased);
          if (erased === from) await expectFree(pipeline);
        }
      }
    },
  );

  it("leaves no location finer than the consent that the user who stays lowers at any step", async () => {
    for (const consent of ["approximate", "none"] as const) {
      let hasStopped = true;
      for (let n = 0; hasStopped; n++) {
        expect(n).toBeLessThan(maxCalls);
        const pipeline = await newPipeline();
        vi.setSystemTime(start);
        const location = { lat: 59.91234, lon: 10.75678 };
        for (const userId of [from, into])
          await pipeline.send([12, 13].map((k) => ({ ...eventOf(userId, k, start), location })));
        await pipeline.deliverMessages(() => true);
        await pipeline.confirmDelivered();
        faults.stopAfter(n, true);
        await beginMerge(pipeline);
        ({ hasStopped } = faults);
        faults.stop();
        const settings = { home: null, precision: consent, version: 1 };
        await pipeline.session(into).setUserSettings(pipeline.application, into, settings);
        expect(await drain(pipeline, null)).toBe("done");
        for (let round = 0; round < 3; round++) {
          vi.setSystemTime(Date.now() + roundMs);
          await pipeline.runSessionAlarm(into);
        }
        expect(await locatedInteractions(pipeline)).toBe(consent === "none" ? 0 : 4);
      }
    }
  });

  it("makes no more calls in one request than the platform allows, at whatever consent", async () => {
    const pipeline = await newPipeline();
    vi.setSystemTime(start);
    const events = Array.from({ length: 80 }, (_, n) => ({
      ...eventOf(from, 10 + (n % 40), start - n * 1000),
      ...{ eventId: `far-${n}`, location: { lat: 59.9 + n / 500, lon: 10.7 + n / 500 } },
    }));
    await pipeline.send(events);
    const settings = { home: null, precision: "city" as const, version: 1 };
    await pipeline.session(into).setUserSettings(pipeline.application, into, settings);
    await pipeline.deliverMessages(() => true);
    await pipeline.confirmDelivered();
    faults.stop();
    expect((await beginMerge(pipeline)).status).toBe("done");
    const { calls } = faults;
    expect(calls.get("locationService")).toBeLessThan(4);
    const all = ["userService", "locationService", "session"] as const;
    expect(all.reduce((sum, part) => sum + (calls.get(part) ?? 0), 0)).toBeLessThan(32);
    expect(await locatedInteractions(pipeline)).toBe(80);
  });

  it("loses no event and counts none twice, whatever fails, and leaves no trace of an erased user", async () => {
    const event = fc.record({ userId: fc.constantFrom(from, into), n: fc.nat(25) });
    const step = fc.constantFrom("deliver", "lose", "evict", "alarm", "confirm", "forget", "clock");
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 25 }),
        fc.array(event, { maxLength: 6 }),
        fc.array(fc.record({ kind: step, userId: fc.constantFrom(from, into), choice: fc.nat(100) }), {
          maxLength: 20,
        }),
        fc.record({ erased: fc.constantFrom(null, null, from, into), at: fc.nat(20) }),
        fc.record({ seed: fc.nat(1_000_000), percent: fc.constantFrom(0, 15, 40) }),
        async (before, during, steps, { erased, at }, { seed, percent }) => {
          const pipeline = await newPipeline();
          vi.setSystemTime(start);
          faults.start(seed, percent);
          for (const { userId, n } of before) await pipeline.send([eventOf(userId, n, start)]);
          await beginMerge(pipeline);
          let isErased = false;
          for (const [i, { kind, userId, choice }] of steps.entries()) {
            if (erased && i === at) {
              await beginErasure(pipeline, erased);
              isErased = true;
            }
            if (!isErased && i < during.length)
              await pipeline.send([eventOf(during[i].userId, during[i].n, start)]);
            if (kind === "deliver") await pipeline.deliverMessages((index) => (index + choice) % 2 === 0);
            else if (kind === "lose") queuedMessages.splice(choice % (queuedMessages.length + 1), 1);
            else if (kind === "evict") await pipeline.evictSession(userId);
            else if (kind === "alarm") await pipeline.runSessionAlarm(userId);
            else if (kind === "confirm") await pipeline.confirmDelivered();
            else if (kind === "forget") pipeline.loseConfirmations();
            else vi.setSystemTime(Date.now() + choice * 1000);
          }
          if (erased && !isErased) await beginErasure(pipeline, erased);
          const status = await drain(pipeline, erased);
          await expectOutcome(pipeline, status, erased);
        },
      ),
      { numRuns: isLong ? 300 : 25, endOnFailure: true },
    );
  });
});

describe("an erasure", () => {
  it("leaves nothing of an impression that arrives after it", async () => {
    const pipeline = await newPipeline();
    const now = Date.now();
    await pipeline.send([eventOf(into, 11, now)]);
    const shown = shownNow();
    vi.setSystemTime(now + 100);
    await beginErasure(pipeline, into);
    for (let round = 0; round < 10; round++) {
      vi.setSystemTime(Date.now() + roundMs);
      await pipeline.deliverAll([into]);
    }
    const erasure = await pipeline.session(into).erasure(pipeline.application, `erasure-of-${into}`);
    expect(erasure?.status).toBe("done");
    await pipeline.session(into).recordImpression(pipeline.application, into, shown);
    expect(await pipeline.session(into).receipt(pipeline.application, "held")).toBeNull();
    await pipeline.session(into).recordImpression(pipeline.application, into, shownNow());
    expect(await pipeline.session(into).receipt(pipeline.application, "held")).not.toBeNull();
  });
});
