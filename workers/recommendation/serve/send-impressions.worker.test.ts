/// <reference types="@cloudflare/vitest-plugin/types" />
import { createExecutionContext, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { recommendationInput } from "../../../shared/contracts/recommendation.ts";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { ingestEvents } from "../ingest/ingest-events.ts";
import { RecommendationService } from "../service.ts";
import { countingServices } from "../testing/counting-services.ts";
import { osloPoint, services } from "../testing/services.ts";
import { session } from "../testing/user-sessions.ts";
import { recommendProducts } from "./recommend.ts";

const nowhere = { city: null, country: null, point: null, timezone: null };

/** Returns a deployment that holds impressions for a time, and what happens in it. */
function deployment(delayMs: number) {
  const { calls, env: counted } = countingServices();
  const INTERACTIONS = { send: async () => undefined };
  const env = {
    ...{ ...services, ...counted, INTERACTIONS },
    ...{ DEFAULT_CONSENT: "exact", IMPRESSION_DELAY_MS: String(delayMs) },
  } as never;
  const work: Promise<unknown>[] = [];
  const waitUntil = (each: Promise<unknown>): void => void work.push(each);
  return {
    env,
    calls,
    ended: () => Promise.all(work),
    async recommend(userId: string) {
      const input = recommendationInput.parse({ userId, location: osloPoint, limit: 5 });
      const request = { input, edge: nowhere, requester: trustedRequester };
      return unwrap(await recommendProducts(env, "demo", request, waitUntil), "recommendations");
    },
    async click(userId: string, recommendationId: string) {
      const event = { eventId: "e", userId, type: "click" as const, productId: "p1", recommendationId };
      const events = { events: [event], requester: trustedRequester };
      return unwrap(await ingestEvents(env, "demo", events, Date.now() / 1000, waitUntil), "ingestion");
    },
  };
}

/** Returns the ids of a user's receipts, and of the receipts of the outcomes. */
const stored = (userId: string) =>
  runInDurableObject(session(userId), (_object, { storage: { sql } }) => {
    const idsOf = (query: string) => sql.exec<{ id: string }>(query).toArray();
    return {
      receipts: idsOf("SELECT id FROM receipts").map(({ id }) => id),
      outcomes: idsOf("SELECT receipt AS id FROM outcomes").map(({ id }) => id),
    };
  });

// The longest delay. It is over before a test goes on only where a test waits for it.
const long = 1000;

describe("impressions", () => {
  it("of several lists of a user are stored by one call", async () => {
    const { recommend, calls, ended } = deployment(long);
    const answers = await Promise.all([recommend("ann"), recommend("ann"), recommend("bob")]);
    await ended();
    expect(calls["user.recordImpressions"]).toBe(2);
    const [first, second, other] = answers.map(({ recommendationId }) => recommendationId);
    expect((await stored("ann")).receipts.sort()).toEqual([first, second].sort());
    expect((await stored("bob")).receipts).toEqual([other]);
  });

  it("are stored before an event that follows at once, which counts", async () => {
    const { recommend, click, calls } = deployment(long);
    const { recommendationId } = await recommend("cleo");
    expect(calls["user.recordImpressions"]).toBeUndefined();
    await click("cleo", recommendationId);
    expect(calls).toMatchObject({ "user.recordImpressions": 1, "user.ingest": 1 });
    expect(await stored("cleo")).toEqual({ receipts: [recommendationId], outcomes: [recommendationId] });
  });

  it("are stored before the receipt is read", async () => {
    const { recommend, env } = deployment(long);
    const { recommendationId } = await recommend("dan");
    const service = new RecommendationService(createExecutionContext(), env);
    const receipt = unwrap(await service.receipt("demo", recommendationId, trustedRequester), "receipt");
    expect(receipt.recommendationId).toBe(recommendationId);
  });

  it("count an event that reached the object before them", async () => {
    const { recommend, click } = deployment(long);
    // What comes from another isolate finds no impression that is held here.
    await click("eli", "unknown");
    const { recommendationId } = await recommend("eli");
    await session("eli").ingest(
      "demo",
      "eli",
      [
        {
          ...{ eventId: "early", type: "cart", productId: "p2", time: Date.now() / 1000 },
          ...{ recommendationId, location: null },
          facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
        },
      ],
      false,
    );
    expect(await stored("eli")).toEqual({ receipts: [], outcomes: [] });
    await click("eli", "unknown");
    expect(await stored("eli")).toEqual({ receipts: [recommendationId], outcomes: [recommendationId] });
  });
});
