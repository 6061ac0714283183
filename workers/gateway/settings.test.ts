import { describe, expect, it } from "vitest";
import { gatewaySettingsOf } from "./settings.ts";

describe("gatewaySettingsOf", () => {
  it("disables development keys and tokens, and allows no other origin, by default", () => {
    expect(gatewaySettingsOf({})).toMatchObject({ developmentMarker: null, tokenSecrets: [], origins: [] });
  });

  it("parses the allowed origins, and throws for a text that is no origin", () => {
    const origins = (CORS_ORIGINS: string) => gatewaySettingsOf({ CORS_ORIGINS }).origins;
    expect(origins("https://a.example  http://localhost:3000\n")).toEqual([
      "https://a.example",
      "http://localhost:3000",
    ]);
    expect(origins("")).toEqual([]);
    expect(origins(" * ")).toBe("*");
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

  it("throws for a token secret of fewer than 32 characters", () => {
    expect(() => gatewaySettingsOf({ TOKEN_SECRET: "short" })).toThrow();
  });
});
