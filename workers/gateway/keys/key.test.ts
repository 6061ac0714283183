import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeKey, hashesEqual, hashKey, hasKeyFormat } from "./key.ts";

describe("encodeKey", () => {
  it("returns text in the key format, and different keys for different bytes", () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(hasKeyFormat(encodeKey(a))).toBe(true);
        expect(encodeKey(a) === encodeKey(b)).toBe(a.every((byte, i) => byte === b[i]));
      }),
    );
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
