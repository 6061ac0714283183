import { describe, expect, it } from "vitest";
import { ok } from "../../../shared/contracts/result.ts";
import { createKey } from "../testing/credentials.ts";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { createTestGateway, unlimitedRate } from "../testing/test-gateway.ts";

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

  it("S16: show a key with `people:write` alone no profile, only the warnings about its input", async () => {
    const { call } = createTestGateway({ limiter: unlimitedRate });
    const { key } = await createKey({ role: "server", scopes: ["people:write"] });
    const both = await createKey({ role: "server", scopes: ["people:write", "people:read"] });
    const home = { lat: 59.91, lon: 10.75 };
    const path = "/v1/users/written-only";
    for (const [method, body] of [
      ["PUT", { home, attributes: { nickname: "nick" } }],
      ["PUT", { home, attributes: { nickname: "nick" } }],
      ["PATCH", {}],
      ["PATCH", { consent: { location: "city" } }],
    ] as const) {
      const answer = await call(method, path, { key, body });
      expect([answer.status, await answer.text()]).toEqual([204, ""]);
    }
    const warned = await call("PUT", path, { key, body: { home: { lat: 0, lon: 0 } } });
    expect(warned.status).toBe(200);
    expect(Object.keys(await warned.json<object>())).toEqual(["warnings"]);
    expect((await call("GET", path, { key })).status).toBe(403);

    const shown = await call("PATCH", path, { key: both.key, body: { attributes: { nickname: "nick" } } });
    expect(await shown.json()).toMatchObject({ id: "written-only", attributes: { nickname: "nick" } });
    expect((await call("PUT", path, { key: both.key, body: {} })).status).toBe(200);
  });
});
