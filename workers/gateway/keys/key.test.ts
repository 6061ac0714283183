import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyRole } from "../../../shared/contracts/credential.ts";
import { generateKey, hashesEqual, hashKey, isWellFormedKey, keyPattern, looksLikeKey } from "./key.ts";

const roles = fc.constantFrom(...keyRole.options);

describe("generateKey", () => {
  it("returns a well-formed key of its role, different ones each time", () => {
    fc.assert(
      fc.property(roles, (role) => {
        const key = generateKey(role);
        expect(isWellFormedKey(key), key).toBe(true);
        expect(key.startsWith(role === "publishable" ? "vic_pub_" : `vic_${role}_`)).toBe(true);
        expect(generateKey(role)).not.toBe(key);
      }),
    );
  });

  it("discards bytes that would make some characters likelier than others", () => {
    const given = [Uint8Array.from({ length: 43 }, () => 255), Uint8Array.from({ length: 43 }, (_, i) => i)];
    const key = generateKey("server", () => given.shift() ?? new Uint8Array(43));
    expect(key.slice(0, -6)).toBe("vic_server_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg");
    const counts = new Map<string, number>();
    for (let i = 0; i < 500; i++)
      for (const character of generateKey("admin").slice("vic_admin_".length, -6))
        counts.set(character, (counts.get(character) ?? 0) + 1);
    expect(counts.size).toBe(62);
    // 21,500 characters: 347 of each are expected, with a standard deviation of 18.
    expect(Math.max(...counts.values())).toBeLessThan(347 + 6 * 19);
    expect(Math.min(...counts.values())).toBeGreaterThan(347 - 6 * 19);
  });
});

describe("isWellFormedKey", () => {
  it("S14: refuses a key of which one character was changed, left out or added", () => {
    const place = fc.nat(60);
    const character = fc.constantFrom(
      ..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-. ",
    );
    fc.assert(
      fc.property(roles, place, character, (role, at, changed) => {
        const key = generateKey(role);
        const other = key.slice(0, at) + changed + key.slice(at + 1);
        if (other !== key) expect(isWellFormedKey(other), other).toBe(false);
        if (at < key.length) expect(isWellFormedKey(key.slice(0, at) + key.slice(at + 1))).toBe(false);
        expect(isWellFormedKey(key.slice(0, at) + changed + key.slice(at))).toBe(false);
      }),
    );
  });

  it("refuses random texts of the right format, but for one in 62^6", () => {
    for (let i = 0; i < 1_000; i++) {
      const key = generateKey("server");
      const random = key.slice(0, -6) + generateKey("server").slice(-6);
      expect(keyPattern.test(random)).toBe(true);
      expect(isWellFormedKey(random)).toBe(false);
    }
  });

  it("refuses keys of the format of earlier versions, which are no tokens either", () => {
    const old = `vic_${"a".repeat(43)}`;
    expect([isWellFormedKey(old), looksLikeKey(old)]).toEqual([false, true]);
    expect(looksLikeKey("eyJhbGciOiJIUzI1NiJ9.e30.x")).toBe(false);
  });
});

describe("hashKey", () => {
  it("returns the SHA-256 in hex", async () => {
    const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    expect(await hashKey("")).toBe(empty);
  });
});

describe("hashesEqual", () => {
  it("agrees with the equality of strings", () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => hashesEqual(a, b) === (a === b)));
    fc.assert(fc.property(fc.string(), (a) => hashesEqual(a, a)));
    expect(hashesEqual("", "\0")).toBe(false);
  });
});
