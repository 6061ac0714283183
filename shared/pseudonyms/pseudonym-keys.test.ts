import { describe, expect, it } from "vitest";
import { pseudonymKeysOf, pseudonymSecretOf } from "./pseudonym-keys.ts";

describe("pseudonymSecretOf", () => {
  it("refuses an absent or short secret by its name, without its text", () => {
    expect(() => pseudonymSecretOf({})).toThrow(/PSEUDONYM_SECRET .* at least 32 characters; got none/);
    expect(() => pseudonymSecretOf({ PSEUDONYM_SECRET: "hunter2" })).toThrow(/got 7 characters/);
    expect(() => pseudonymSecretOf({ PSEUDONYM_SECRET: "hunter2" })).not.toThrow(/hunter2/);
    expect(pseudonymSecretOf({ PSEUDONYM_SECRET: "s".repeat(32) })).toBe("s".repeat(32));
  });
});

describe("pseudonymKeysOf", () => {
  it("derives the keys of a secret once", async () => {
    const variables = { PSEUDONYM_SECRET: "s".repeat(32) };
    expect(await pseudonymKeysOf(variables)).toBe(await pseudonymKeysOf(variables));
    await expect(pseudonymKeysOf({})).rejects.toThrow("PSEUDONYM_SECRET");
  });
});
