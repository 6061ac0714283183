import {
  checkPartCount,
  concat,
  latin1,
  latin1Bytes,
  MalformedImage,
  readNumber,
  slice,
  truncated,
} from "./bytes.ts";
import { exifOfOrientation, orientationIn, withoutExifHeader } from "./exif-orientation.ts";

/** Bytes of the RIFF header and the form type `WEBP`. */
const headerBytes = 12;
const exifFlag = 0x08;
const xmpFlag = 0x04;
/** Bytes of an animation frame before its chunks: position, size, duration and flags. */
const frameHeaderBytes = 16;
const extendedHeaderBytes = 10;
const frameChunks = new Set(["VP8 ", "VP8L", "ALPH"]);
/** Chunks that are shown: picture, transparency, color profile and animation. */
const keptChunks = new Set([...frameChunks, "VP8X", "ICCP", "ANIM", "ANMF"]);
const pictureChunks = new Set(["VP8 ", "VP8L", "ANMF"]);

interface Chunk {
  type: string;
  content: Uint8Array;
}

/** Returns the chunks from an offset to the end. Only the last one may lack its byte of padding. */
function chunksOf(bytes: Uint8Array, from: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = from; at < bytes.length; ) {
    const size = readNumber(bytes, at + 4, 4, true);
    chunks.push({
      type: latin1(slice(bytes, at, at + 4)),
      content: slice(bytes, at + 8, at + 8 + size),
    });
    checkPartCount(chunks.length);
    at += 8 + size + (size % 2);
  }
  return chunks;
}

function littleEndian32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Returns a chunk: type, length, content, and a byte of padding where the length is odd. */
const encodeChunk = ({ type, content }: Chunk): Uint8Array =>
  concat([latin1Bytes(type), littleEndian32(content.length), content, new Uint8Array(content.length % 2)]);

/** Returns a frame of an animation with the chunks of its picture only. */
function stripFrame({ type, content }: Chunk): Chunk {
  const chunks = chunksOf(content, frameHeaderBytes).filter((each) => frameChunks.has(each.type));
  return {
    type,
    content: concat([slice(content, 0, frameHeaderBytes), ...chunks.map(encodeChunk)]),
  };
}

/** Returns the header of an extended file with the flags of what the stripped file holds. */
function stripHeader({ type, content }: Chunk, hasExif: boolean): Chunk {
  if (content.length < extendedHeaderBytes) throw new MalformedImage(truncated);
  const header = content.slice(0, extendedHeaderBytes);
  header[0] = (header[0] & ~(exifFlag | xmpFlag)) | (hasExif ? exifFlag : 0);
  return { type, content: header };
}

/**
 * Returns a WebP file with its picture, color profile, animation and orientation, and nothing else: no Exif, XMP or
 * unknown chunks, and no bytes after its end. Compressed data is copied. Throws {@link MalformedImage}.
 */
export function stripWebp(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunks = chunksOf(slice(bytes, 0, 8 + readNumber(bytes, 4, 4, true)), headerBytes);
  if (!chunks.some(({ type }) => pictureChunks.has(type)))
    throw new MalformedImage("the WebP file has no picture");
  const isExtended = chunks[0].type === "VP8X";
  const exif = isExtended ? chunks.find(({ type }) => type === "EXIF") : undefined;
  const orientation = exif ? orientationIn(withoutExifHeader(exif.content)) : null;
  const kept = chunks
    .filter(({ type }, i) => keptChunks.has(type) && (type !== "VP8X" || i === 0))
    .map((chunk) =>
      chunk.type === "VP8X"
        ? stripHeader(chunk, orientation !== null)
        : chunk.type === "ANMF"
          ? stripFrame(chunk)
          : chunk,
    );
  if (orientation !== null) kept.push({ type: "EXIF", content: exifOfOrientation(orientation) });
  const body = concat([latin1Bytes("WEBP"), ...kept.map(encodeChunk)]);
  return concat([latin1Bytes("RIFF"), littleEndian32(body.length), body]);
}
