import { describe, expect, it } from "vitest";
import type { Problem } from "../../../shared/contracts/problem.ts";
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

  it("E3: reports every line that a service refuses, with its number among malformed and empty lines", async () => {
    const services = inMemoryServices();
    const error = { code: "timestamp_out_of_window", path: "timestamp", message: "too new" };
    services.recommendation.ingestHistory = async (_, events) => {
      const rejected = events.flatMap(({ type }, index) => (type === "cart" ? [{ index, error }] : []));
      return ok({ accepted: events.length - rejected.length - 1, duplicates: 1, rejected });
    };
    const { call } = createTestGateway({ services });
    const body = [view("1"), "", view("2", { type: "cart" }), "{", view("3"), view("4", { type: "cart" })]
      .map((line) => (typeof line === "string" ? line : JSON.stringify(line)))
      .join("\n");
    const report = await (await call("POST", "/v1/events/bulk", { body, ...lines })).json<BulkReport>();
    expect(report).toMatchObject({ received: 5, accepted: 1, duplicates: 1, rejected: 3 });
    expect(report.errors).toEqual([
      { line: 3, ...error },
      { line: 4, code: "invalid_input", message: expect.stringContaining("is not JSON") },
      { line: 6, ...error },
    ]);
    expect(report).not.toHaveProperty("errorsOmitted");
  });

  it("E3: refuses with 422 and the report if every line is refused, and says how many it does not list", async () => {
    const { call } = createTestGateway();
    const body = Array.from({ length: 250 }, (_, i) =>
      JSON.stringify({ id: `p${i}`, title: "T", price: -1 }),
    );
    const answer = await call("POST", "/v1/products/bulk", { body: body.join("\n"), ...lines });
    expect(answer.status).toBe(422);
    const { code, detail, errors, report } = await answer.json<Problem>();
    expect(code).toBe("nothing_accepted");
    expect(detail).toContain("the first 100");
    expect(errors?.[1]).toMatchObject({ path: "lines.2.price", code: "invalid_input" });
    expect(report).toMatchObject({ received: 250, accepted: 0, rejected: 250, errorsOmitted: 150 });
    expect(report?.errors).toHaveLength(100);
    expect(report?.errors[99]).toMatchObject({ line: 100, path: "price" });
    expect(report?.errors[0].message).toMatch(/^price: .*got -1$/);
  });

  it("E3: lists the first refused lines, also where a service refuses them after later ones were parsed", async () => {
    const services = inMemoryServices();
    services.recommendation.ingestHistory = async (_, events) =>
      ok({
        accepted: 0,
        duplicates: events.length - 50,
        rejected: events.slice(0, 50).map((_event, index) => ({ index, error: { code: "c", message: "m" } })),
      });
    const { call } = createTestGateway({ services });
    const valid = Array.from({ length: 100 }, (_, i) => JSON.stringify(view(`e${i}`)));
    const body = [...valid, ...Array.from({ length: 500 }, () => "{")].join("\n");
    const report = await (await call("POST", "/v1/events/bulk", { body, ...lines })).json<BulkReport>();
    expect(report).toMatchObject({ received: 600, rejected: 550, errorsOmitted: 450 });
    expect(report.errors.map(({ line }) => line)).toEqual([
      ...Array.from({ length: 50 }, (_, i) => i + 1),
      ...Array.from({ length: 50 }, (_, i) => i + 101),
    ]);
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
