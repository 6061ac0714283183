import { afterEach, describe, expect, it, vi } from "vitest";
import { ok, refuse } from "../../../shared/contracts/result.ts";
import { Confirmations } from "./confirmations.ts";
import { consumeBatch } from "./queue.ts";

afterEach(() => vi.restoreAllMocks());

const messageOf = (application: string, attempts: number) => ({
  ...{ id: `${application}-1`, timestamp: new Date(0), attempts },
  body: {
    ...{ application, userId: "ann", pseudonym: "a".repeat(64), generation: 0 },
    rows: [{ seq: 1, lat: 59.9, lon: 10.7, time: 1_790_000_000, precision: "city" }],
  },
  ack: vi.fn(),
  retry: vi.fn(),
});

describe("consumeBatch", () => {
  it("calls other workers for three applications of a batch only, those that waited longest, and sends the rest again", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const asked: string[] = [];
    const USER = {
      findConsentLimits: async (application: string) => {
        asked.push(application);
        return refuse("unavailable", "no database");
      },
    };
    const env = { USER, LOCATION: {}, PRODUCT: {} } as unknown as RecommendationEnv;
    const messages = [1, 2, 3, 1, 4, 1].map((attempts, i) => messageOf(`shop-${i}`, attempts));
    const batch = { queue: "vicinity-locations", messages } as unknown as MessageBatch;
    await consumeBatch(batch, env, new Confirmations(env.USER_SESSION));
    expect(asked.sort()).toEqual(["shop-1", "shop-2", "shop-4"]);
    const delays = messages.map(({ retry }) => retry.mock.calls);
    expect(delays).toEqual([
      [[]],
      [[{ delaySeconds: 4 }]],
      [[{ delaySeconds: 8 }]],
      [[]],
      [[{ delaySeconds: 16 }]],
      [[]],
    ]);
    for (const { ack } of messages) expect(ack).not.toHaveBeenCalled();
  });

  it("isolates a message that fails without more than 32 worker invocations, in few deliveries", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    let calls = 0;
    const poison = "user-37";
    const USER = {
      findConsentLimits: async () => {
        calls++;
        return ok([]);
      },
      recordLocations: async (_application: string, visits: { userId: string }[]) => {
        calls++;
        return visits.some(({ userId }) => userId === poison) ? refuse("unavailable", "a bad row") : ok(null);
      },
    };
    const env = {
      ...{ USER, LOCATION: {}, PRODUCT: {} },
      USER_SESSION: { idFromString: (id: string) => id },
    } as unknown as RecommendationEnv;
    let waiting = Array.from({ length: 100 }, (_, i) => {
      const message = messageOf("shop", 1);
      return { ...message, body: { ...message.body, userId: `user-${i}` } };
    });
    for (let deliveries = 0; waiting.length > 1; deliveries++) {
      expect(deliveries).toBeLessThan(7);
      calls = 0;
      const batch = { queue: "vicinity-locations", messages: waiting } as unknown as MessageBatch;
      await consumeBatch(batch, env, new Confirmations(env.USER_SESSION));
      expect(calls).toBeLessThan(32);
      waiting = waiting.filter(({ ack }) => ack.mock.calls.length === 0);
    }
    expect(waiting.map(({ body }) => body.userId)).toEqual([poison]);
  });
});
