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

describe("events", () => {
  it("keep the good ones of a request and say which are not, by their index", async () => {
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
    expect(receipt.warnings).toEqual([{ index: 3, code: "unknown_product" }]);
  });

  it("that are all malformed, too many or none are bad input", async () => {
    const { call } = createTestGateway();
    const malformed = await call("POST", "/v1/events", { body: { events: [view("a", { type: "stare" })] } });
    expect(malformed.status).toBe(400);
    expect((await malformed.json<Problem>()).errors?.[0].path).toBe("events.0.type");
    expect((await call("POST", "/v1/events", { body: { events: [] } })).status).toBe(400);
    const many = Array.from({ length: 101 }, (_, i) => view(`e${i}`));
    expect((await call("POST", "/v1/events", { body: { events: many } })).status).toBe(400);
  });

  it("of people that cannot be reached are to be sent again", async () => {
    const { call } = createTestGateway();
    const answer = await call("POST", "/v1/events", {
      body: { events: [view("a", { userId: "unreachable" })] },
    });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
  });

  it("of people of whom too much waits already are to come later; beside others they are named", async () => {
    const { call } = createTestGateway();
    const full = view("a", { userId: "full" });
    const alone = await call("POST", "/v1/events", { body: { events: [full] } });
    expect([alone.status, alone.headers.get("retry-after")]).toEqual([429, "30"]);
    const beside = await call("POST", "/v1/events", { body: { events: [full, view("b")] } });
    expect(beside.status).toBe(202);
    expect((await beside.json<EventReceipt>()).rejected).toMatchObject([
      { index: 0, error: { code: "rate_limited", retryAfter: 30 } },
    ]);
    const both = await call("POST", "/v1/events", {
      body: { events: [full, view("c", { userId: "unreachable" })] },
    });
    expect([both.status, both.headers.get("retry-after")]).toEqual([503, "30"]);
  });
});
