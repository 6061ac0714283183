// Builds small image files byte by byte, with a position in every place that the formats have for one.

import { crc32 } from "../../../../shared/hash/crc32.ts";
import { concat, latin1Bytes } from "../bytes.ts";

/** A text that no stripped image may contain. It stands for a GPS position. */
export const secret = "GPS 59.913900 N 10.752200 E";

const bytesOf = (...parts: (string | number[] | Uint8Array)[]): Uint8Array<ArrayBuffer> =>
  concat(parts.map((part) => (typeof part === "string" ? latin1Bytes(part) : Uint8Array.from(part))));
const number = (value: number, size: number, littleEndian = false): number[] => {
  const bytes = Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** (size - 1 - i)) % 256);
  return littleEndian ? bytes.reverse() : bytes;
};
/** Exif data with an orientation and the secret, in the byte order of most phones (MM) or cameras (II). */
export const exif = (orientation: number, order: "MM" | "II" = "MM"): Uint8Array<ArrayBuffer> => {
  const n = (value: number, size: number) => number(value, size, order === "II");
  return bytesOf(
    ...[order, n(42, 2), n(8, 4), n(2, 2)],
    // Image description: an ASCII value at offset 38.
    ...[n(0x010e, 2), n(2, 2), n(secret.length, 4), n(38, 4)],
    ...[n(0x0112, 2), n(3, 2), n(1, 4), n(orientation, 2), n(0, 2)],
    ...[n(0, 4), secret],
  );
};

/** Content of the segments and chunks that stay. */
export const profile = "a color profile";
const xmp = `http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>${secret}</x:xmpmeta>`;
const segment = (marker: number, content: string | Uint8Array): Uint8Array =>
  bytesOf([0xff, marker], number(content.length + 2, 2), content);
/** Compressed data with stuffed bytes and a restart marker. */
const scanData = [1, 2, 0xff, 0, 3, 0xff, 0xd0, 4, 5];

/** A progressive JPEG of two scans, with metadata between and after them. */
export const jpeg = (orientation = 6, order: "MM" | "II" = "MM"): Uint8Array<ArrayBuffer> =>
  bytesOf(
    [0xff, 0xd8],
    segment(0xe0, bytesOf("JFIF\0", [1, 2, 0, 0, 72, 0, 72, 1, 1], secret.slice(0, 3))),
    segment(0xe1, bytesOf("Exif\0\0", exif(orientation, order))),
    segment(0xe1, xmp),
    segment(0xe2, `ICC_PROFILE\0\x01\x01${profile}`),
    segment(0xe2, `MPF\0${secret}`),
    segment(0xed, `Photoshop 3.0\0${secret}`),
    segment(0xee, bytesOf("Adobe", [0, 100, 0, 0, 0, 0, 1], secret)),
    segment(0xfe, secret),
    segment(0xdb, "quantization"),
    [0xff, 0xff],
    segment(0xc2, "frame"),
    segment(0xc4, "huffman"),
    segment(0xda, "scan"),
    scanData,
    segment(0xfe, secret),
    segment(0xda, "scan"),
    scanData,
    [0xff, 0xd9],
    // A second picture and a video, as phones append them.
    [0xff, 0xd8],
    segment(0xe1, xmp),
    secret,
  );

const chunk = (type: string, content: string | number[] | Uint8Array): Uint8Array => {
  const typed = bytesOf(type, content);
  return bytesOf(number(content.length, 4), typed, number(crc32(typed), 4));
};

/** A PNG of one pixel with every kind of text. */
export const png = (orientation = 3): Uint8Array<ArrayBuffer> =>
  bytesOf(
    [0x89],
    "PNG\r\n\x1a\n",
    chunk("IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0]),
    chunk("iCCP", profile),
    chunk("tEXt", `Comment\0${secret}`),
    chunk("zTXt", `Comment\0${secret}`),
    chunk("iTXt", `XML:com.adobe.xmp\0\0\0\0\0${secret}`),
    chunk("tIME", [7, 0xea, 1, 1, 0, 0, 0]),
    chunk("eXIf", exif(orientation)),
    chunk("prVt", secret),
    chunk("IDAT", [0x78, 0xda, 0x63, 0x64, 0xf8, 0xcf, 0x50, 0x0f, 0, 3, 0x86, 1, 0x80]),
    chunk("IEND", []),
    secret,
  );

const riffChunk = (type: string, content: string | number[] | Uint8Array): Uint8Array =>
  bytesOf(type, number(content.length, 4, true), content, content.length % 2 ? [0] : []);
const riff = (...chunks: Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const body = bytesOf("WEBP", ...chunks);
  return bytesOf("RIFF", number(body.length, 4, true), body);
};

/** An extended WebP with a color profile, Exif and XMP. */
export const webp = (orientation = 8): Uint8Array<ArrayBuffer> =>
  bytesOf(
    riff(
      riffChunk("VP8X", [0x2c, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
      riffChunk("ICCP", profile),
      riffChunk("VP8 ", "picture"),
      riffChunk("EXIF", bytesOf("Exif\0\0", exif(orientation, "II"))),
      riffChunk("XMP ", secret),
      riffChunk("JUNK", secret),
    ),
    secret,
  );

/** An animated WebP of one frame, with an unknown chunk in the frame. */
export const animatedWebp = (): Uint8Array<ArrayBuffer> =>
  riff(
    riffChunk("VP8X", [0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    riffChunk("ANIM", [0, 0, 0, 0, 0, 0]),
    riffChunk(
      "ANMF",
      bytesOf(new Array<number>(16).fill(1), riffChunk("VP8L", "picture"), riffChunk("JUNK", secret)),
    ),
  );

const box = (type: string, ...content: (string | number[] | Uint8Array)[]): Uint8Array => {
  const whole = bytesOf(...content);
  return bytesOf(number(whole.length + 8, 4), type, whole);
};
const infe = (id: number, type: string, rest = "\0"): Uint8Array =>
  box("infe", [2, 0, 0, 0], number(id, 2), [0, 0], type, rest);
/** The picture in {@link avif}. */
export const avifPicture = "av1 picture data";

/** A still AVIF with a rotation, Exif, XMP and a user's description. The data of all items is in `mdat`, or in `idat`. */
export function avif(place: "mdat" | "idat" = "mdat"): Uint8Array<ArrayBuffer> {
  const exifItem = bytesOf(number(0, 4), exif(1));
  const data = [bytesOf(avifPicture), exifItem, bytesOf(secret)];
  const files = (offset: number): Uint8Array<ArrayBuffer> => {
    let at = offset;
    const locations = data.flatMap((each, i) => {
      const from = at;
      at += each.length;
      return [
        ...[...number(i + 1, 2), 0, place === "idat" ? 1 : 0, 0, 0],
        ...[...number(1, 2), ...number(from, 4), ...number(each.length, 4)],
      ];
    });
    const meta = box(
      "meta",
      [0, 0, 0, 0],
      box("hdlr", [0, 0, 0, 0], [0, 0, 0, 0], "pict", new Array<number>(13).fill(0)),
      box("pitm", [0, 0, 0, 0], number(1, 2)),
      box("iloc", [1, 0, 0, 0, 0x44, 0, 0, 3], locations),
      box(
        "iinf",
        [0, 0, 0, 0, 0, 3],
        infe(1, "av01"),
        infe(2, "Exif"),
        infe(3, "mime", "\0application/rdf+xml\0"),
      ),
      box("iprp", box("ipco", box("irot", [1]), box("udes", [0, 0, 0, 0], secret)), box("ipma", "links")),
      ...(place === "idat" ? [box("idat", ...data)] : []),
      box("uuid", secret),
    );
    return bytesOf(
      box("ftyp", "avif", [0, 0, 0, 0], "mif1miaf"),
      box("free", secret),
      meta,
      ...(place === "mdat" ? [box("mdat", ...data, secret)] : []),
      box("mpvd", secret),
    );
  };
  if (place === "idat") return files(0);
  // Offsets have a fixed size, so the data begins at the same offset in both.
  const found = Buffer.from(files(0)).indexOf(avifPicture);
  return files(found);
}
