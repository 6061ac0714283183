import { describe, expect, it } from "vitest";
import type { BulkReport } from "../../../shared/contracts/product.ts";
import { ok, refuse } from "../../../shared/contracts/result.ts";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { createTestGateway } from "../testing/test-gateway.ts";

const view = (eventId: string, more: object = {}) => ({
  eventId,
  userId: "ann",
  type: "view",
  productId: "p",
  ...more,
});
const lines = { headers: { "content-type": "application/x-ndjson" } };

describe("handleBulkLines", () => {
  it("handles valid lines in batches, and counts and reports malformed ones", async () => {
    const services = inMemoryServices();
    const calls: number[] = [];
    const { putMany } = services.product;
    services.product.putMany = (application, products) => {
      calls.push(products.length);
      return putMany(application, products);
    };
    const { call } = createTestGateway({ services });
    const body = [
      ...Array.from({ length: 600 }, (_, i) => JSON.stringify({ id: `p${i}`, title: "T" })),
      "{",
      "",
      '{"id":"a ","title":"T"}',
      `{"id":"long","title":"${"x".repeat(70_000)}"}`,
      '{"id":"last","title":"T","price":1,"currency":"EUR"}\r',
    ].join("\n");
    const answer = await call("POST", "/v1/products/bulk", { body, ...lines });
    expect(answer.status).toBe(200);
    const report = await answer.json<BulkReport>();
    expect(report).toMatchObject({ received: 604, accepted: 601, duplicates: 0, rejected: 3 });
    expect(report.errors.map(({ line }) => line)).toEqual([601, 603, 604]);
    expect(report.errors[1].message).toContain("id: ");
    expect(calls).toEqual([500, 101]);
    expect((await call("GET", "/v1/products/last")).status).toBe(200);
  });

  it("groups events by user and keeps their order", async () => {
    const services = inMemoryServices();
    const seen: string[] = [];
    services.recommendation.ingestHistory = async (_, events) => {
      seen.push(events.map(({ userId, eventId }) => `${userId}${eventId}`).join(" "));
      return ok({ accepted: events.length - 1, duplicates: 1, rejected: 0 });
    };
    const { call } = createTestGateway({ services });
    const events = [view("1"), view("2", { userId: "bob" }), view("3"), view("4", { userId: "bob" })];
    const body = events.map((event) => JSON.stringify(event)).join("\n");
    const report = await (await call("POST", "/v1/events/bulk", { body, ...lines })).json();
    expect(seen).toEqual(["ann1 ann3 bob2 bob4"]);
    expect(report).toMatchObject({ received: 4, accepted: 3, duplicates: 1, rejected: 0 });
  });

  it("refuses a body without lines or of another type, and passes on the 503 of a service", async () => {
    const services = inMemoryServices();
    services.product.putMany = async () => refuse("unavailable", "Later.", { retryAfter: 2 });
    const { call } = createTestGateway({ services });
    expect((await call("POST", "/v1/products/bulk", { body: "\n \n", ...lines })).status).toBe(400);
    expect((await call("POST", "/v1/products/bulk", lines)).status).toBe(400);
    expect((await call("POST", "/v1/products/bulk", { body: {} })).status).toBe(415);
    const down = await call("POST", "/v1/products/bulk", { body: '{"id":"a","title":"T"}', ...lines });
    expect([down.status, down.headers.get("retry-after")]).toEqual([503, "2"]);
  });

  it("handles the lines before the one that exceeds the limit", async () => {
    const { call } = createTestGateway();
    const body = Array.from({ length: 10_001 }, (_, i) => `{"id":"q${i}","title":"T"}`).join("\n");
    expect((await call("POST", "/v1/products/bulk", { body, ...lines })).status).toBe(413);
    expect((await call("GET", "/v1/products/q9999")).status).toBe(200);
    expect((await call("GET", "/v1/products/q10000")).status).toBe(404);
  });
});
