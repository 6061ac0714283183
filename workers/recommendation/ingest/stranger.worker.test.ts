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
import { type Requester, trustedRequester } from "../../../shared/contracts/requester.ts";
import { unwrap } from "../../../shared/contracts/result.ts";

const environment: { USER_SESSION: DurableObjectNamespace<UserSession> } = Object.assign(
  { USER_SESSION: {} as never },
  env,
);
const session = (userId: string) => userSessionStub(environment.USER_SESSION, "demo", userId, null);
const start = Date.UTC(2026, 0, 5, 12) / 1000;
const token: Requester = { ...trustedRequester, tokenIssuedAt: start };
const stranger: Requester = { ...token, isVouched: false, network: "net" };

let events = 0;
const event = (type: EventType, productId: string, recommendationId: string | null = null): Interaction => ({
  eventId: `e${events++}`,
  type,
  productId,
  time: Date.now() / 1000,
  recommendationId,
  location: null,
  facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
});
const send = async (userId: string, list: Interaction[], requester: Requester) =>
  unwrap(await session(userId).ingest("demo", userId, list, false, requester), "the user object").results;
const views = (count: number): Interaction[] =>
  Array.from({ length: count }, (_, i) => event("view", `p${i}`));

/** Returns an impression of one product now. */
const shown = (recommendationId: string): Impression => ({
  receipt: {
    ...{ recommendationId, time: new Date(Date.now()).toISOString(), isPlacePrivate: true },
    model: { version: "v1", sha256: "0".repeat(64) },
    variant: "rollout:v2/canary",
    location: { city: null, country: "NO", precision: "exact", source: "request" },
    ...{ candidates: 500, items: [], stages: [] },
  },
  featureHash: featureShape.hash,
  rows: [{ productId: "p0", position: 1, propensity: 1, score: 1, category: null }],
  features: packFeatures(featureShape, randomBatch(featureShape, 1, 1), [0]),
});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(start * 1000);
});
afterEach(() => void vi.useRealTimers());

describe("the events of a user in an hour", () => {
  const acceptances = async (userId: string, count: number, requester: Requester) => {
    const results = await send(userId, views(count), requester);
    return results.filter(({ acceptance }) => acceptance === "accepted").length;
  };

  it("S4: are bounded by tokens, more so for strangers, also after an eviction; not by keys", async () => {
    expect(await acceptances("ann", 700, token)).toBe(600);
    expect(await acceptances("eve", 150, stranger)).toBe(150);
    await evictDurableObject(session("eve"));
    expect(await acceptances("eve", 100, stranger)).toBe(50);
    expect(await acceptances("eve", 100, trustedRequester)).toBe(100);
    const known = views(1);
    await send("bob", known, token);
    await acceptances("bob", 599, token);
    // A repeated event is a duplicate, not one more.
    expect((await send("bob", known, token))[0].acceptance).toBe("duplicate");
    vi.setSystemTime((start + 3600) * 1000);
    expect(await acceptances("eve", 100, stranger)).toBe(100);
  });

  it("S4: bound the locations too, with the seconds until the next hour", async () => {
    const locate = () =>
      session("gus").setLocation(
        "demo",
        "gus",
        { lat: 59.91, lon: 10.75, time: Date.now() / 1000, precision: "exact" },
        token,
      );
    for (let i = 0; i < 120; i++) expect((await locate()).ok).toBe(true);
    expect(await locate()).toMatchObject({ ok: false, error: { code: "rate_limited", retryAfter: 3600 } });
  });
});

describe("the recommendations of a user in an hour", () => {
  const recommend = async (userId: string, count: number, requester: Requester): Promise<number> => {
    for (let i = 0; i < count; i++) {
      const impression = shown(`${userId}-${crypto.randomUUID()}`);
      await session(userId).recordImpression("demo", userId, impression, requester);
    }
    return runInDurableObject(
      session(userId),
      (_object, { storage }) => storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM receipts").one().n,
    );
  };

  it("S4: are stored up to a limit, lower for strangers, also after an eviction", async () => {
    expect(await recommend("ivy", 100, stranger)).toBe(100);
    await evictDurableObject(session("ivy"));
    expect(await recommend("ivy", 40, stranger)).toBe(120);
    expect(await recommend("ivy", 3, token)).toBe(123);
    vi.setSystemTime((start + 3600) * 1000);
    expect(await recommend("ivy", 2, stranger)).toBe(125);
    expect(await recommend("jon", 610, trustedRequester)).toBe(600);
    // Each of the closed windows held the count; fewer than 20 are forgotten.
    await recommend("kay", 110, stranger);
    vi.setSystemTime(Date.now() + 1_801_000);
    for (let alarms = 0; alarms < 6; alarms++) await runDurableObjectAlarm(session("kay"));
    await evictDurableObject(session("kay"));
    expect(await recommend("kay", 40, stranger)).toBe(120);
    // The user still sends events, and gets further recommendations stored in the next hour.
    expect(await send("jon", views(1), token)).toMatchObject([{ acceptance: "accepted" }]);
  });
});

describe("the impressions of a user whom nobody vouches for", () => {
  /** Returns the kinds of rows that 20 impressions with a click add. */
  async function loggedKinds(userId: string, requester: Requester): Promise<string[]> {
    for (let i = 0; i < 20; i++) {
      const id = `${userId}-r${i}`;
      await session(userId).recordImpression("demo", userId, shown(id), requester);
      await send(userId, [event("click", "p0", id)], requester);
    }
    vi.setSystemTime(Date.now() + 1_900_000);
    for (let i = 0; i < 3; i++) await runDurableObjectAlarm(session(userId));
    return runInDurableObject(session(userId), (_object, { storage }) =>
      storage.sql
        .exec<{ kind: string }>("SELECT body ->> 'kind' AS kind FROM journal WHERE id NOT LIKE 'event:%'")
        .toArray()
        .map(({ kind }) => kind),
    );
  }

  it("S3: decide no canary and train no model while the user is new; those of others do", async () => {
    expect(await loggedKinds("new", stranger)).toEqual([]);
    const known = await loggedKinds("known", token);
    expect(known.filter((kind) => kind === "counts")).toHaveLength(20);
    expect(known.filter((kind) => kind === "example")).toHaveLength(20);
  });

  it("S3: count like those of others once the user has behaved like others for a month", async () => {
    for (let day = 0; day < 31; day++) {
      vi.setSystemTime((start + day * 86_400) * 1000);
      await send("loyal", views(5), stranger);
    }
    const kinds = await loggedKinds("loyal", stranger);
    expect(kinds.filter((kind) => kind === "counts")).toHaveLength(20);
  });
});
