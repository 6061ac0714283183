import { describe, expect, it } from "vitest";
import { settingsOf } from "./settings.ts";

describe("settingsOf", () => {
  it("lets in nobody by default, and any page ask", () => {
    expect(settingsOf({})).toMatchObject({ developmentKeys: false, tokenSecret: null, origins: "*" });
  });

  it("reads origins, and fails for what is none", () => {
    const origins = (CORS_ORIGINS: string) => settingsOf({ CORS_ORIGINS }).origins;
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
    expect(() => settingsOf({ TOKEN_SECRET: "short" })).toThrow();
  });
});
