import { crc32 } from "../../../shared/hash/crc32.ts";
import { checkPartCount, concat, latin1, latin1Bytes, MalformedImage, readNumber, slice } from "./bytes.ts";
import { exifOfOrientation, orientationIn, withoutExifHeader } from "./exif-orientation.ts";

/** First bytes of every PNG file. */
const signatureBytes = 8;
/** Chunks that are shown: picture, palette, transparency, color, density and animation. */
const keptChunks = new Set([
  ...["IHDR", "PLTE", "IDAT", "tRNS", "bKGD", "pHYs", "sBIT"],
  ...["gAMA", "cHRM", "sRGB", "iCCP", "cICP", "mDCV", "mDCv", "cLLI", "cLLi"],
  ...["acTL", "fcTL", "fdAT"],
]);

const isCritical = (type: string): boolean => /^[A-Z]/.test(type);

/** Returns a chunk: length, type, content and checksum. */
function chunk(type: string, content: Uint8Array): Uint8Array {
  const typed = concat([latin1Bytes(type), content]);
  const numbers = new DataView(new ArrayBuffer(8));
  numbers.setUint32(0, content.length);
  numbers.setUint32(4, crc32(typed));
  return concat([new Uint8Array(numbers.buffer, 0, 4), typed, new Uint8Array(numbers.buffer, 4, 4)]);
}

/**
 * Returns a PNG file with its picture, colors, density, animation and orientation, and nothing else: no texts, times,
 * Exif or private chunks, and no bytes after its end. Compressed data is copied. Throws {@link MalformedImage}.
 */
export function stripPng(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const kept: Uint8Array[] = [];
  let orientation: number | null = null;
  let [type, pictures] = ["", 0];
  for (let at = signatureBytes; type !== "IEND"; ) {
    const end = at + 12 + readNumber(bytes, at, 4);
    type = latin1(slice(bytes, at + 4, at + 8));
    const whole = slice(bytes, at, end);
    if ((type === "IHDR") !== (at === signatureBytes))
      throw new MalformedImage("the PNG file must begin with one IHDR chunk");
    if (type === "IDAT") pictures++;
    if (type === "IEND") kept.push(chunk(type, new Uint8Array(0)));
    else if (keptChunks.has(type)) kept.push(whole);
    else if (type === "eXIf") orientation ??= orientationIn(withoutExifHeader(whole.subarray(8, -4)));
    else if (isCritical(type))
      throw new MalformedImage(`the PNG file has a chunk that no browser reads: ${JSON.stringify(type)}`);
    checkPartCount(kept.length);
    at = end;
  }
  if (pictures === 0) throw new MalformedImage("the PNG file has no picture");
  const [header, ...rest] = kept;
  const exif = orientation === null ? [] : [chunk("eXIf", exifOfOrientation(orientation))];
  return concat([bytes.subarray(0, signatureBytes), header, ...exif, ...rest]);
}
