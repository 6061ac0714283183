import { describe, expect, it } from "vitest";
import { gatewaySettingsOf } from "./settings.ts";
import { inMemoryServices } from "./testing/in-memory-services.ts";
import { createTestGateway, issueTestToken, testSettings, unlimitedRate } from "./testing/test-gateway.ts";

describe("every response", () => {
  it("has a request id: the client's own where it is safe, otherwise a new one", async () => {
    const { call } = createTestGateway();
    const given = await call("GET", "/healthz", { headers: { "x-request-id": "mine-1" } });
    expect(given.headers.get("x-request-id")).toBe("mine-1");
    const unsafe = await call("GET", "/healthz", { headers: { "x-request-id": "a b" } });
    expect(unsafe.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("has security headers: pages may load their own files, data may load nothing", async () => {
    const { call } = createTestGateway({ limiter: unlimitedRate });
    const shared = {
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "cross-origin",
      "strict-transport-security": expect.stringContaining("max-age="),
      "permissions-policy": expect.stringContaining("geolocation=()"),
      "server-timing": expect.stringContaining("gateway;dur="),
    };
    const closed = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    for (const path of ["/", "/docs", "/ops", "/assets/style.css"]) {
      const headers = Object.fromEntries((await call("GET", path, { key: "" })).headers);
      expect(headers, path).toMatchObject(shared);
      expect(headers["content-security-policy"], path).toBe(
        `${closed}; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; ` +
          "require-trusted-types-for 'script'; trusted-types 'none'",
      );
    }
    for (const [method, path] of [
      ["GET", "/healthz"],
      ["GET", "/openapi.json"],
      ["GET", "/v1/products"],
      ["GET", "/v1/users/nobody"],
      ["GET", `/v1/images/${"a".repeat(22)}`],
      ["PATCH", "/v1/events"],
      ["GET", "/nothing"],
    ]) {
      const headers = Object.fromEntries((await call(method, path)).headers);
      expect(headers, path).toMatchObject(shared);
      expect(headers["content-security-policy"], path).toBe(`${closed}; sandbox`);
    }
  });

  it("has the pages' content security policy also for a 304 of a page", async () => {
    const pages = { fetch: async () => new Response(null, { status: 304 }) };
    const { headers } = await createTestGateway({ pages }).call("GET", "/");
    expect(headers.get("content-security-policy")).toContain("script-src 'self'");
  });

  it("forbids caching under /v1/", async () => {
    const { call } = createTestGateway();
    for (const path of ["/v1/products", "/v1/users/none", "/v1/nothing"])
      expect((await call("GET", path)).headers.get("cache-control"), path).toBe("no-store");
  });

  it("hides the text of an unexpected error, and is a 503 for a transient error", async () => {
    const services = inMemoryServices();
    services.user.get = async () => {
      throw new Error("secret detail");
    };
    services.user.list = async () => {
      throw Object.assign(new Error("overload"), { overloaded: true });
    };
    const { call, points } = createTestGateway({ services });
    const failed = await call("GET", "/v1/users/ann");
    expect(failed.status).toBe(500);
    expect(await failed.text()).not.toContain("secret");
    expect((await call("GET", "/v1/users")).status).toBe(503);
    expect(points.map(({ code }) => code)).toEqual(["internal", "unavailable"]);
    expect(JSON.stringify(points)).not.toContain("ann");
  });
});

describe("requests from pages of other origins", () => {
  const shop = "https://shop.example";
  const ask = (gateway: ReturnType<typeof createTestGateway>, origin: string, method = "GET") =>
    gateway.call(method, "/v1/products", {
      key: method === "OPTIONS" ? "" : "dev-server-key",
      headers: { origin, ...(method === "OPTIONS" ? { "access-control-request-method": "GET" } : {}) },
    });

  it("are allowed for every origin by default", async () => {
    const gateway = createTestGateway();
    const preflight = await ask(gateway, shop, "OPTIONS");
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    const { headers } = await ask(gateway, shop);
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("access-control-expose-headers")).toContain("ratelimit-policy");
    expect(headers.has("access-control-allow-credentials")).toBe(false);
    expect(headers.has("vary")).toBe(false);
    expect((await gateway.call("GET", "/v1/nothing")).headers.get("access-control-allow-origin")).toBe("*");
  });

  it("are allowed for listed origins only, where the deployment lists some", async () => {
    const gateway = createTestGateway({
      settings: { ...testSettings, origins: [shop, "http://localhost:3000"] },
    });
    for (const method of ["OPTIONS", "GET"]) {
      const listed = (await ask(gateway, shop, method)).headers;
      expect(listed.get("access-control-allow-origin")).toBe(shop);
      expect(listed.get("vary")).toContain("Origin");
      for (const other of ["https://evil.example", `${shop}.evil.example`, "null"]) {
        const { headers } = await ask(gateway, other, method);
        expect(headers.has("access-control-allow-origin"), other).toBe(false);
        expect(headers.get("vary")).toContain("Origin");
      }
    }
  });

  it("S6: are not allowed by default, but for the gateway's own pages", async () => {
    const { origins } = gatewaySettingsOf({});
    const gateway = createTestGateway({ settings: { ...testSettings, origins }, limiter: unlimitedRate });
    for (const method of ["OPTIONS", "GET"])
      for (const other of [shop, "http://localhost:3000", "null"])
        expect((await ask(gateway, other, method)).headers.has("access-control-allow-origin"), other).toBe(
          false,
        );
    const key = await issueTestToken("ann");
    const connect = async (origin: string) =>
      (await gateway.call("GET", "/v1/users/ann/live", { key, headers: { upgrade: "websocket", origin } }))
        .status;
    expect([await connect(shop), await connect("http://localhost")]).toEqual([403, 404]);
  });

  it("open WebSockets from listed origins, from the gateway's own pages, and without an origin", async () => {
    const gateway = createTestGateway({
      settings: { ...testSettings, origins: [shop] },
      limiter: unlimitedRate,
    });
    const connect = async (origin?: string) => {
      const headers = { upgrade: "websocket", ...(origin === undefined ? {} : { origin }) };
      const key = await issueTestToken("ann");
      return (await gateway.call("GET", "/v1/users/ann/live", { key, headers })).status;
    };
    expect(await connect("https://evil.example")).toBe(403);
    for (const origin of [shop, "http://localhost", undefined]) expect(await connect(origin)).toBe(404);
  });
});
