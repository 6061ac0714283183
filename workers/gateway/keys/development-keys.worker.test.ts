import { describe, expect, it } from "vitest";
import { GatewayStore } from "../store.ts";
import { testEnvironment } from "../testing/test-environment.ts";
import { createTestGateway, issueTestToken, testSettings, unlimitedRate } from "../testing/test-gateway.ts";

const keys = ["dev-admin-key", "dev-server-key", "dev-publishable-key"];

describe("the development keys", () => {
  it("S6: answer on this machine only, and to no page of another origin", async () => {
    const { app } = createTestGateway({ limiter: unlimitedRate });
    const ask = async (url: string, key: string, headers: Record<string, string> = {}) =>
      (await app.request(url, { headers: { authorization: `Bearer ${key}`, ...headers } })).status;
    for (const key of keys) {
      expect(await ask("http://localhost:8787/v1/products", key)).toBe(200);
      expect(await ask("http://127.0.0.1:8787/v1/products", key, { origin: "http://127.0.0.1:8787" })).toBe(
        200,
      );
      for (const origin of ["https://evil.example", "http://localhost:3000", "null"])
        expect(await ask("http://localhost:8787/v1/products", key, { origin }), origin).toBe(401);
      expect(await ask("http://localhost:8787/v1/products", key, { host: "evil.example:8787" })).toBe(401);
      expect(await ask("https://api.example.com/v1/products", key)).toBe(401);
      const upgrade = { upgrade: "websocket", "sec-websocket-protocol": `vicinity, ${key}` };
      const live = await app.request("http://localhost:8787/v1/users/x/live", {
        headers: { ...upgrade, origin: "https://evil.example" },
      });
      expect(live.status).toBe(401);
    }
  });

  it("S7: are refused where the database has no marker, whatever the variable says", async () => {
    const store = new GatewayStore(testEnvironment.DB);
    store.findDevelopmentMarker = async () => null;
    const token = await issueTestToken("x");
    for (const developmentMarker of ["on", "true", testSettings.developmentMarker, null]) {
      const production = createTestGateway({ store, settings: { ...testSettings, developmentMarker } });
      for (const key of [...keys, token])
        expect((await production.call("GET", "/v1/products", { key })).status, key).toBe(401);
    }
    const wrong = createTestGateway({ settings: { ...testSettings, developmentMarker: "w".repeat(32) } });
    for (const key of keys) expect((await wrong.call("GET", "/v1/products", { key })).status).toBe(401);
  });
});
