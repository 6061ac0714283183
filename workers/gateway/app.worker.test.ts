import { describe, expect, it } from "vitest";
import { openDoor } from "./testing/door.ts";
import { memoryServices } from "./testing/memory-services.ts";

describe("every answer", () => {
  it("has a request id, the client's own if it is a safe one", async () => {
    const { call } = openDoor();
    const given = await call("GET", "/healthz", { headers: { "x-request-id": "mine-1" } });
    expect(given.headers.get("x-request-id")).toBe("mine-1");
    const unsafe = await call("GET", "/healthz", { headers: { "x-request-id": "a b" } });
    expect(unsafe.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("may be read by any page, and is guarded by security headers", async () => {
    const { call } = openDoor();
    const preflight = await call("OPTIONS", "/v1/events", {
      key: "",
      headers: { origin: "https://shop.example", "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
    for (const path of ["/", "/docs", "/healthz", "/v1/products", "/nothing"]) {
      const { headers } = await call("GET", path);
      expect(headers.get("access-control-allow-origin"), path).toBe("*");
      expect(headers.get("content-security-policy"), path).toContain("default-src 'none'");
      expect(headers.get("x-content-type-options"), path).toBe("nosniff");
      expect(headers.get("server-timing"), path).toContain("gateway;dur=");
    }
  });

  it("of the API is kept by no cache", async () => {
    const { call } = openDoor();
    for (const path of ["/v1/products", "/v1/users/none", "/v1/nothing"])
      expect((await call("GET", path)).headers.get("cache-control"), path).toBe("no-store");
  });

  it("says nothing of an inner error, and asks to come again where the platform does", async () => {
    const services = memoryServices();
    services.user.get = async () => {
      throw new Error("secret detail");
    };
    services.user.list = async () => {
      throw Object.assign(new Error("overload"), { overloaded: true });
    };
    const { call, points } = openDoor({ services });
    const failed = await call("GET", "/v1/users/ann");
    expect(failed.status).toBe(500);
    expect(await failed.text()).not.toContain("secret");
    expect((await call("GET", "/v1/users")).status).toBe(503);
    expect(points.map(({ code }) => code)).toEqual(["internal", "unavailable"]);
    expect(JSON.stringify(points)).not.toContain("ann");
  });
});
