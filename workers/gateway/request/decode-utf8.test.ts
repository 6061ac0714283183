import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeUtf8, firstInvalidByte } from "./decode-utf8.ts";

const encode = (text: string) => new TextEncoder().encode(text);

describe("decodeUtf8", () => {
  it("E5: refuses Latin-1, UTF-16, surrogates, overlong and broken characters, and names the byte", () => {
    const found: [number[], string][] = [
      [[0x43, 0x61, 0x66, 0xe9], "0xE9 at offset 3"],
      [[0x43, 0xe9, 0x66, 0x66], "0xE9 at offset 1"],
      [[0xff, 0xfe, 0x7b, 0x00], "0xFF at offset 0; it begins as UTF-16"],
      [[0x61, 0xed, 0xa0, 0x80], "0xED at offset 1"],
      [[0xc0, 0xaf], "0xC0 at offset 0"],
      [[0x61, 0xe2, 0x82], "0xE2 at offset 1"],
      [[0xf4, 0x90, 0x80, 0x80], "0xF4 at offset 0"],
    ];
    for (const [bytes, what] of found)
      expect(decodeUtf8(Uint8Array.from(bytes))).toEqual({
        problem: `must be UTF-8; got the byte ${what}`,
      });
  });

  it("E5: returns every text as it was encoded, and agrees with the platform on what is no text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(firstInvalidByte(encode(text))).toBeNull();
      }),
    );
    const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
        let valid = true;
        try {
          strict.decode(bytes);
        } catch {
          valid = false;
        }
        expect(firstInvalidByte(bytes) === null).toBe(valid);
        expect("text" in decodeUtf8(bytes)).toBe(valid);
      }),
      { numRuns: 2000 },
    );
  });
});
