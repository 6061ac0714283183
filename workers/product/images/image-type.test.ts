import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { imageTypeOf } from "./image-type.ts";

const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) => (typeof part === "string" ? [...part].map((c) => c.charCodeAt(0)) : part)),
  );
const padding = new Array<number>(16).fill(0);

describe("imageTypeOf", () => {
  it("recognizes the four formats by content", () => {
    expect(imageTypeOf(bytes([0xff, 0xd8, 0xff, 0xe0], padding))).toBe("image/jpeg");
    expect(imageTypeOf(bytes([0x89], "PNG\r\n\x1a\n", padding))).toBe("image/png");
    expect(imageTypeOf(bytes("RIFF", [4, 0, 0, 0], "WEBPVP8 ", padding))).toBe("image/webp");
    expect(imageTypeOf(bytes([0, 0, 0, 24], "ftypavif", [0, 0, 0, 0], "mif1miaf"))).toBe("image/avif");
    expect(imageTypeOf(bytes([0, 0, 0, 24], "ftypmif1", [0, 0, 0, 0], "miafavif"))).toBe("image/avif");
  });

  it("returns null for similar formats", () => {
    expect(imageTypeOf(bytes([0, 0, 0, 24], "ftypmp42", [0, 0, 0, 0], "isommp41"))).toBeNull();
    expect(imageTypeOf(bytes("RIFF", [4, 0, 0, 0], "WAVEfmt "))).toBeNull();
    expect(imageTypeOf(bytes("GIF89a", padding))).toBeNull();
    expect(imageTypeOf(bytes("<svg xmlns=''></svg>"))).toBeNull();
    expect(imageTypeOf(new Uint8Array())).toBeNull();
  });

  it("never throws for arbitrary bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (any) => void imageTypeOf(any)));
  });
});
