import { describe, expect, it } from "vitest";
import type { EventReceipt } from "../../../shared/contracts/event.ts";
import type { Problem } from "../../../shared/contracts/problem.ts";
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
    const answer = await call("POST", "/v1/events", { key: "dev-client-key", body: { events } });
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

  it("refuses no events, too many events, and only malformed events", async () => {
    const { call } = createTestGateway();
    const malformed = await call("POST", "/v1/events", { body: { events: [view("a", { type: "stare" })] } });
    expect(malformed.status).toBe(400);
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
