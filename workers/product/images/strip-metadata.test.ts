import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, latin1, maxParts } from "./bytes.ts";
import { orientationIn } from "./exif-orientation.ts";
import { stripMetadata } from "./strip-metadata.ts";
import {
  animatedWebp,
  avif,
  avifPicture,
  exif,
  jpeg,
  png,
  profile,
  secret,
  webp,
} from "./testing/sample-images.ts";

const samples = {
  jpeg: jpeg(),
  "jpeg without an orientation": jpeg(1),
  png: png(),
  webp: webp(),
  "animated webp": animatedWebp(),
  "avif with media data": avif("mdat"),
  "avif with item data": avif("idat"),
};
const named = Object.entries(samples);

/** Returns the stripped image as text with one character for each byte. */
function strip(bytes: Uint8Array): string {
  const stripped = stripMetadata(bytes);
  if (!stripped.ok) throw new Error(stripped.error.detail);
  return latin1(stripped.value.bytes);
}
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (each) => each.charCodeAt(0));
const minimalExif = (orientation: number): string =>
  `MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0${String.fromCharCode(orientation)}\0\0\0\0\0\0`;

describe("stripMetadata", () => {
  it.each(named)("S15: removes every text about a %s", (_, bytes) => {
    expect(latin1(bytes)).toContain(secret);
    for (const part of [secret, secret.slice(0, 8), "xmpmeta", "Photoshop"])
      expect(strip(bytes)).not.toContain(part);
  });

  it.each(named)("gives the same bytes for a stripped %s", (_, bytes) => {
    const once = strip(bytes);
    expect(strip(bytesOf(once))).toBe(once);
  });

  it.each(named)("refuses a truncated %s, wherever it ends, or finds the whole picture", (_, bytes) => {
    const whole = strip(bytes);
    for (let length = 12; length < bytes.length; length++) {
      const stripped = stripMetadata(bytes.slice(0, length));
      if (stripped.ok) expect(latin1(stripped.value.bytes)).toBe(whole);
      else expect(stripped.error.detail).toMatch(/^The image cannot be stored: .+\.$/);
    }
  });

  it("keeps the picture, colors and orientation of a JPEG, and cuts further pictures", () => {
    const stripped = strip(jpeg(6));
    for (const part of ["quantization", "frame", "huffman", `ICC_PROFILE\0\x01\x01${profile}`, "Adobe\0d"])
      expect(stripped).toContain(part);
    expect(stripped.split("\x01\x02\xff\0\x03\xff\xd0\x04\x05")).toHaveLength(3);
    expect(stripped).toContain(`\xff\xe1\0\x22Exif\0\0${minimalExif(6)}`);
    expect(stripped.indexOf("JFIF")).toBe(6);
    expect(stripped.endsWith("\xff\xd9")).toBe(true);
    expect(stripped.match(/\xff\xd8/g)).toHaveLength(1);
    expect(strip(jpeg(1))).not.toContain("Exif");
  });

  it("keeps the picture, colors and orientation of PNG and WebP files", () => {
    expect(strip(png(3))).toContain(`\0\0\0\x1aeXIf${minimalExif(3)}`);
    expect(strip(png())).toContain(profile);
    expect(strip(png(1))).not.toContain("eXIf");
    const stripped = strip(webp(8));
    expect(stripped).toContain(`EXIF\x1a\0\0\0${minimalExif(8)}`);
    expect(stripped).toContain(`VP8X\x0a\0\0\0\x28`);
    expect(strip(webp(1))).toContain(`VP8X\x0a\0\0\0\x20`);
    expect(strip(animatedWebp())).toContain("VP8L\x07\0\0\0picture\0");
    expect(stripped.length).toBe(8 + bytesOf(stripped)[4]);
  });

  it("keeps the picture, properties and offsets of an AVIF, and cuts boxes after it", () => {
    const original = latin1(avif());
    const stripped = strip(avif());
    expect(stripped.indexOf(avifPicture)).toBe(original.indexOf(avifPicture));
    expect(stripped).toContain("irot\x01");
    expect(stripped).toContain("links");
    expect(stripped).not.toContain("mpvd");
    expect(strip(avif("idat"))).toContain(avifPicture);
  });

  it("refuses files of many thousand empty parts, whose list would cost more memory than an isolate has", () => {
    const many = (part: string, count = maxParts) => part.repeat(count);
    const riff = (chunks: string) =>
      bytesOf(
        `RIFF${String.fromCharCode(...[0, 8, 16, 24].map((bits) => ((chunks.length + 4) >> bits) & 255))}WEBP${chunks}`,
      );
    const [frame, header, picture] = ["\xff\xc0\0\x02", "\0\0\0\0IHDR\0\0\0\0", "\0\0\0\0IDAT\0\0\0\0"];
    const files = (count: number) => [
      bytesOf(`\xff\xd8${many("\xff\xc4\0\x02", count)}${frame}\xff\xda\0\x02\x01\x02\xff\xd9`),
      bytesOf(`\x89PNG\r\n\x1a\n${header}${many(picture, count)}\0\0\0\0IEND\0\0\0\0`),
      riff(`VP8 \0\0\0\0${many("ALPH\0\0\0\0", count)}`),
      concat([avif(), bytesOf(many("\0\0\0\x08free", count))]),
    ];
    for (const file of files(maxParts + 1))
      expect(stripMetadata(file)).toMatchObject({
        error: { code: "invalid_input", detail: expect.stringContaining("more than 10,000 parts") },
      });
    for (const file of files(maxParts / 2)) expect(stripMetadata(file).ok).toBe(true);
  });

  it("refuses animations in AVIF, and files without a picture", () => {
    const animation = concat([avif(), bytesOf("\0\0\0\x08moov")]);
    expect(stripMetadata(animation)).toMatchObject({
      error: { code: "invalid_input", detail: expect.stringContaining("send a still picture") },
    });
    expect(stripMetadata(bytesOf(`\xff\xd8\xff\xd9${" ".repeat(12)}`))).toMatchObject({
      error: { detail: "The image cannot be stored: the JPEG file has no picture." },
    });
    expect(stripMetadata(bytesOf("<svg xmlns=''></svg>"))).toMatchObject({
      error: { code: "unsupported_media_type" },
    });
  });

  it("answers every changed file with a refusal or a stripped file, whose stripped form is itself", () => {
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      byte: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(samples)),
        fc.array(change, { maxLength: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        (sample, changes, end, cut) => {
          const bytes = sample.slice(0, cut ? Math.ceil(end * sample.length) : undefined);
          for (const { at, byte } of changes) bytes[Math.floor(at * bytes.length)] = byte;
          const stripped = stripMetadata(bytes);
          if (!stripped.ok) return;
          expect(stripMetadata(stripped.value.bytes)).toEqual(stripped);
          expect(stripped.value.bytes.length).toBeLessThanOrEqual(bytes.length + 1);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("answers arbitrary content after the first bytes of each format", () => {
    const starts = ["\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "RIFF\x40\0\0\0WEBP", "\0\0\0\x10ftypavif\0\0\0\0"];
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 200 }), (start, rest) => {
        const stripped = stripMetadata(concat([bytesOf(start), rest]));
        if (stripped.ok) expect(stripMetadata(stripped.value.bytes)).toEqual(stripped);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("orientationIn", () => {
  it("reads both byte orders, and returns null for an upright picture and for broken data", () => {
    expect(orientationIn(exif(6, "MM"))).toBe(6);
    expect(orientationIn(exif(6, "II"))).toBe(6);
    for (const wrong of [
      exif(1),
      exif(9),
      exif(6).slice(0, 20),
      bytesOf("MM\0*\xff\xff\xff\xff"),
      new Uint8Array(),
    ])
      expect(orientationIn(wrong)).toBeNull();
  });
});
