import { describe, expect, it } from "vitest";
import { ok } from "../../../shared/contracts/result.ts";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { createTestGateway } from "../testing/test-gateway.ts";

describe("the user routes", () => {
  it("send changed settings to the recommendation service", async () => {
    const services = inMemoryServices();
    const sent: unknown[] = [];
    services.recommendation.setUserSettings = async (...args) => {
      sent.push(args);
      return ok(null);
    };
    const { call } = createTestGateway({ services });
    const home = { lat: 1, lon: 2 };
    expect((await call("PUT", "/v1/users/ann", { body: { home } })).status).toBe(201);
    const consent = { location: "city" };
    expect((await call("PATCH", "/v1/users/ann", { body: { consent } })).status).toBe(200);
    expect(sent).toMatchObject([
      ["demo", "ann", { home, precision: "approximate" }],
      ["demo", "ann", { home, precision: "city" }],
    ]);
  });

  it("answer a plain request to the live WebSocket with 426", async () => {
    const { call } = createTestGateway();
    expect((await call("GET", "/v1/users/ann/live")).status).toBe(426);
    const headers = { upgrade: "websocket", "sec-websocket-protocol": "vicinity, dev-server-key" };
    expect((await call("GET", "/v1/users/ann/live", { key: "", headers })).status).toBe(404);
    headers["sec-websocket-protocol"] = "vicinity, nobody";
    expect((await call("GET", "/v1/users/ann/live", { key: "", headers })).status).toBe(401);
  });
});
