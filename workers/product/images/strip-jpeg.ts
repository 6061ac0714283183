import {
  checkPartCount,
  concat,
  latin1Bytes,
  MalformedImage,
  readNumber,
  slice,
  startsWith,
  truncated,
} from "./bytes.ts";
import { exifHeader, exifOfOrientation, orientationIn } from "./exif-orientation.ts";

const [startOfImage, endOfImage, startOfScan] = [0xd8, 0xd9, 0xda];
const [app0, app1, app2, app14] = [0xe0, 0xe1, 0xe2, 0xee];
/** A JFIF segment without its thumbnail: identifier, version, units and two densities. */
const jfifBytes = 12;
/** An Adobe segment: identifier, version, two flags and the color transform. */
const adobeBytes = 12;

const isRestart = (marker: number): boolean => marker >= 0xd0 && marker <= 0xd7;
/** Whether a marker begins a segment that a decoder needs: frames, tables, scans and restart intervals. */
const isPicture = (marker: number): boolean => marker >= 0xc0 && marker <= 0xdf && marker !== startOfImage;
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Returns a segment: marker, length and content. */
function segment(marker: number, content: Uint8Array): Uint8Array {
  const length = content.length + 2;
  return concat([Uint8Array.of(0xff, marker, length >> 8, length & 0xff), content]);
}

/** Returns where the entropy-coded data that begins at an offset ends: at the next marker but restarts. */
function endOfScan(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at + 1 < bytes.length; ) {
    const next = bytes[at + 1];
    if (next !== 0 && next !== 0xff && !isRestart(next)) return at;
    at = bytes.indexOf(0xff, next === 0xff ? at + 1 : at + 2);
  }
  throw new MalformedImage(truncated);
}

interface Segment {
  marker: number;
  content: Uint8Array;
  /** Marker, length and content, and the entropy-coded data that follows a scan's header. */
  whole: Uint8Array;
}

/** Returns the segments of a JPEG file up to its end marker. Leaves out what is between segments and after the end. */
function* segmentsOf(bytes: Uint8Array): Generator<Segment> {
  for (let at = 2; ; ) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 1 >= bytes.length) throw new MalformedImage(truncated);
    const marker = bytes[at + 1];
    if (marker === endOfImage) return;
    // Fill bytes, and markers without content.
    if (marker === 0xff || marker <= 1 || isRestart(marker) || marker === startOfImage) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    const length = readNumber(bytes, at + 2, 2);
    if (length < 2) throw new MalformedImage("a segment of the JPEG file has no length");
    const end = at + 2 + length;
    const content = slice(bytes, at + 4, end);
    const next = marker === startOfScan ? endOfScan(bytes, end) : end;
    yield { marker, content, whole: bytes.subarray(at, next) };
    at = next;
  }
}

/**
 * Returns a JPEG file with its picture, color profile and orientation, and nothing else: no Exif, XMP, IPTC, comments,
 * thumbnails, further pictures, or bytes after its end. Compressed data is copied. Throws {@link MalformedImage}.
 */
export function stripJpeg(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let jfif: Uint8Array | null = null;
  let orientation: number | null = null;
  let [frames, scans] = [0, 0];
  const kept: Uint8Array[] = [];
  for (const { marker, content, whole } of segmentsOf(bytes)) {
    if (isPicture(marker)) {
      kept.push(whole);
      if (isFrame(marker)) frames++;
      if (marker === startOfScan) scans++;
    } else if (marker === app0 && startsWith(content, "JFIF\0") && content.length >= jfifBytes)
      jfif ??= segment(app0, concat([content.subarray(0, jfifBytes), Uint8Array.of(0, 0)]));
    else if (marker === app1 && startsWith(content, exifHeader))
      orientation ??= orientationIn(content.subarray(exifHeader.length));
    else if (marker === app2 && startsWith(content, "ICC_PROFILE\0")) kept.push(whole);
    else if (marker === app14 && startsWith(content, "Adobe") && content.length >= adobeBytes)
      kept.push(segment(app14, content.subarray(0, adobeBytes)));
    checkPartCount(kept.length);
  }
  if (frames === 0 || scans === 0) throw new MalformedImage("the JPEG file has no picture");
  const exif =
    orientation === null
      ? []
      : [segment(app1, concat([latin1Bytes(exifHeader), exifOfOrientation(orientation)]))];
  return concat([
    Uint8Array.of(0xff, startOfImage),
    ...(jfif ? [jfif] : []),
    ...exif,
    ...kept,
    Uint8Array.of(0xff, endOfImage),
  ]);
}
