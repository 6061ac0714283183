import { describe, expect, it } from "vitest";
import { gatewaySettingsOf } from "./settings.ts";

describe("settingsOf", () => {
  it("lets in nobody by default, and any page ask", () => {
    expect(gatewaySettingsOf({})).toMatchObject({ developmentKeys: false, tokenSecret: null, origins: "*" });
  });

  it("reads origins, and fails for what is none", () => {
    const origins = (CORS_ORIGINS: string) => gatewaySettingsOf({ CORS_ORIGINS }).allowedOrigins;
    expect(origins("https://a.example  http://localhost:3000\n")).toEqual([
      "https://a.example",
      "http://localhost:3000",
    ]);
    expect(origins("")).toEqual([]);
    for (const wrong of [
      "a.example",
      "https://a.example/",
      "https://a.example/path",
      "* https://a.example",
      "https://*.a.example",
      "null",
    ])
      expect(() => origins(wrong), wrong).toThrow("must be * or origins");
  });

  it("fails for a secret that is too short to be one", () => {
    expect(() => gatewaySettingsOf({ TOKEN_SECRET: "short" })).toThrow();
  });
});
