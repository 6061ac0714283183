import { describe, expect, it } from "vitest";
import { signingSecret, tokenSecretsOf } from "./token-secrets.ts";

const [one, two, ten] = ["1", "2", "10"].map((digit) => digit.repeat(32));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe("tokenSecretsOf", () => {
  it("returns the secrets by number, with the time from which they sign", () => {
    const env = { TOKEN_SECRET_10: `1764504000:${ten}`, TOKEN_SECRET: one, TOKEN_SECRET_2: two, OTHER: "x" };
    const secrets = tokenSecretsOf(env).map(({ id, bytes, signsFrom }) => [id, text(bytes), signsFrom]);
    expect(secrets).toEqual([
      ["1", one, 0],
      ["2", two, 0],
      ["10", ten, 1764504000],
    ]);
    expect(tokenSecretsOf({})).toEqual([]);
  });

  it("names a malformed secret and the right form, and does not quote it", () => {
    for (const value of ["too-short-secret", "1764504000:too-short-secret", ":", 5, null])
      expect(() => tokenSecretsOf({ TOKEN_SECRET_2: value })).toThrow(
        /^TOKEN_SECRET_2 must be a secret of at least 32 characters, or SECONDS:SECRET(?!.*too-short)/,
      );
    for (const name of [
      "TOKEN_SECRET_1",
      "TOKEN_SECRET_0",
      "TOKEN_SECRET_OLD",
      "TOKEN_SECRETS",
      "TOKEN_SECRET_100",
    ])
      expect(() => tokenSecretsOf({ [name]: one }), name).toThrow(`${name} is no name of a token secret`);
  });
});

describe("signingSecret", () => {
  it("is the highest number that has begun, so that isolates learn a new secret before it signs", () => {
    const secrets = tokenSecretsOf({ TOKEN_SECRET: one, TOKEN_SECRET_2: two, TOKEN_SECRET_3: `100:${ten}` });
    expect(signingSecret(secrets, 99)?.id).toBe("2");
    expect(signingSecret(secrets, 100)?.id).toBe("3");
    expect(signingSecret(tokenSecretsOf({ TOKEN_SECRET: `100:${one}` }), 99)).toBeNull();
    expect(signingSecret([], 99)).toBeNull();
  });
});
