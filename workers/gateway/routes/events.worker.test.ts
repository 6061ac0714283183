import { describe, expect, it } from "vitest";
import type { EventReceipt } from "../../../shared/contracts/event.ts";
import type { Problem } from "../../../shared/contracts/problem.ts";
import { ok } from "../../../shared/contracts/result.ts";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { createTestGateway } from "../testing/test-gateway.ts";

const view = (eventId: string, more: object = {}) => ({
  eventId,
  userId: "ann",
  type: "view",
  productId: "p",
  ...more,
});

describe("POST /v1/events", () => {
  it("records the valid events and reports the others by their index", async () => {
    const { call } = createTestGateway();
    const events = [
      view("a"),
      { eventId: "b" },
      view("c", { userId: "unreachable" }),
      view("d", { productId: "nothing" }),
      view("e", { surprise: 1 }),
    ];
    const answer = await call("POST", "/v1/events", { key: "dev-server-key", body: { events } });
    expect(answer.status).toBe(202);
    const receipt = await answer.json<EventReceipt>();
    expect(receipt.accepted).toBe(2);
    expect(receipt.rejected.map(({ index, error: { code } }) => [index, code])).toEqual([
      [1, "invalid_input"],
      [2, "unavailable"],
      [4, "invalid_input"],
    ]);
    expect(receipt.rejected[2].error.message).toContain("surprise");
    expect(receipt.warnings).toMatchObject([{ index: 3, code: "unknown_product" }]);
  });

  it("E1: refuses with 422 where no event is stored, with a reason for each", async () => {
    const services = inMemoryServices();
    const { call } = createTestGateway({ services });
    const error = { code: "timestamp_out_of_window", path: "timestamp", message: "too new" };
    services.recommendation.ingestEvents = async (_, events) =>
      ok({
        accepted: 0,
        duplicates: 0,
        rejected: events.map((_event, index) => ({ index, error })),
        warnings: [],
      });
    const events = [view("a", { type: "stare" }), view("b"), view("c", { userId: "a\u0007" })];
    const answer = await call("POST", "/v1/events", { body: { events } });
    expect(answer.status).toBe(422);
    const { code, errors } = await answer.json<Problem>();
    expect(code).toBe("nothing_accepted");
    expect(errors?.map(({ path, code }) => [path, code])).toEqual([
      ["events.0.type", "invalid_input"],
      ["events.1.timestamp", "timestamp_out_of_window"],
      ["events.2.userId", "invalid_input"],
    ]);
    expect(errors?.[0].message).toContain('got "stare"');
    expect(errors?.[2].message).toContain("got U+0007");
  });

  it("E2: answers 202 for duplicates, also among refused events, since they are stored", async () => {
    const services = inMemoryServices();
    services.recommendation.ingestEvents = async (_, events) =>
      ok({ accepted: 0, duplicates: events.length, rejected: [], warnings: [] });
    const { call } = createTestGateway({ services });
    for (const events of [[view("a")], [view("a"), view("b", { type: "stare" })]]) {
      const answer = await call("POST", "/v1/events", { body: { events } });
      expect([answer.status, (await answer.json<EventReceipt>()).duplicates]).toEqual([202, 1]);
    }
  });

  it("refuses no events, too many events, and only malformed events", async () => {
    const { call } = createTestGateway();
    const malformed = await call("POST", "/v1/events", { body: { events: [view("a", { type: "stare" })] } });
    expect(malformed.status).toBe(422);
    expect((await malformed.json<Problem>()).errors?.[0].path).toBe("events.0.type");
    expect((await call("POST", "/v1/events", { body: { events: [] } })).status).toBe(400);
    const many = Array.from({ length: 101 }, (_, i) => view(`e${i}`));
    expect((await call("POST", "/v1/events", { body: { events: many } })).status).toBe(400);
  });

  it("answers 503 where no user can be reached", async () => {
    const { call } = createTestGateway();
    const answer = await call("POST", "/v1/events", {
      body: { events: [view("a", { userId: "unreachable" })] },
    });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
  });

  it("answers 429 for users with too many waiting events, and reports them by index among others", async () => {
    const { call } = createTestGateway();
    const full = view("a", { userId: "full" });
    const alone = await call("POST", "/v1/events", { body: { events: [full] } });
    expect([alone.status, alone.headers.get("retry-after")]).toEqual([429, "30"]);
    const mixed = await call("POST", "/v1/events", { body: { events: [full, view("b")] } });
    expect(mixed.status).toBe(202);
    expect((await mixed.json<EventReceipt>()).rejected).toMatchObject([
      { index: 0, error: { code: "rate_limited", retryAfter: 30 } },
    ]);
    const both = await call("POST", "/v1/events", {
      body: { events: [full, view("c", { userId: "unreachable" })] },
    });
    expect([both.status, both.headers.get("retry-after")]).toEqual([503, "30"]);
  });
});
