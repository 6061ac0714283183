import { type Box, boxesIn, fullBoxBytes, onlyBox } from "./avif-boxes.ts";
import { type Extent, itemExtents, itemTypes } from "./avif-items.ts";
import { latin1Bytes, MalformedImage, slice, truncated } from "./bytes.ts";

/** Items that are pictures, or say how pictures are put together. */
const pictureItems = new Set(["av01", "grid", "iovl", "iden", "tmap"]);
/** Boxes of the `meta` box that a decoder reads. */
const metaBoxes = new Set(["hdlr", "pitm", "iloc", "iinf", "iref", "iprp", "idat", "grpl"]);
/** Properties that describe a picture in words, times or camera positions. */
const describingProperties = new Set(["udes", "altt", "uuid", "crtt", "mdft", "cmin", "cmex"]);
/** Exif data without a field: the offset of the TIFF header, the header, and an empty directory. */
const emptyExif = latin1Bytes("\0\0\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0");

/** Builds a file of the same length, in which everything is zero that is not kept. */
class StrippedFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #original: Uint8Array;

  constructor(original: Uint8Array, length: number) {
    this.bytes = new Uint8Array(length);
    this.#original = original;
  }

  keep(from: number, to: number): void {
    this.bytes.set(slice(this.#original, from, to), from);
  }

  keepHeader(box: Box): void {
    this.keep(box.from, box.content);
  }

  /** Keeps the size of a box and empties it, so that offsets and indexes of later boxes stay right. */
  empty(box: Box): void {
    this.keepHeader(box);
    this.bytes.set(latin1Bytes("free"), box.from + 4);
  }
}

/** Keeps an `iprp` box but properties that describe. Their boxes stay, because pictures name properties by number. */
function keepProperties(file: StrippedFile, bytes: Uint8Array, iprp: Box): void {
  file.keep(iprp.from, iprp.to);
  for (const container of boxesIn(bytes, iprp.content, iprp.to)) {
    if (container.type !== "ipco") continue;
    for (const property of boxesIn(bytes, container.content, container.to)) {
      if (!describingProperties.has(property.type)) continue;
      file.bytes.fill(0, property.from, property.to);
      file.empty(property);
    }
  }
}

/** Returns the extents with offsets into the file. Throws {@link MalformedImage} for one outside of the data boxes. */
function locate(extents: readonly Extent[], mediaData: readonly Box[], itemData: Box | undefined): Extent[] {
  return extents.map(({ source, from, to }) => {
    const shift = source === "idat" ? (itemData?.content ?? Number.POSITIVE_INFINITY) : 0;
    const within = source === "idat" ? (itemData ? [itemData] : []) : mediaData;
    if (!within.some((box) => box.content <= from + shift && to + shift <= box.to))
      throw new MalformedImage(truncated);
    return { source: "file", from: from + shift, to: to + shift };
  });
}

/**
 * Returns a still AVIF file of the same length or shorter, in which everything but its pictures and how to show them
 * is zero: Exif, XMP, unknown items and boxes, and data that no picture refers to. Compressed data is copied and stays
 * where it is. An AVIF picture's orientation is a property, not Exif, and stays. Throws {@link MalformedImage}.
 */
export function stripAvif(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const boxes = boxesIn(bytes, 0, bytes.length);
  if (boxes.some(({ type }) => type === "moov"))
    throw new MalformedImage("it is an animation in AVIF; send a still picture, or the animation as WebP");
  const meta = onlyBox(boxes, "meta");
  const mediaData = boxes.filter(({ type }) => type === "mdat");
  const inMeta = boxesIn(bytes, meta.content + fullBoxBytes, meta.to);
  const itemData = inMeta.some(({ type }) => type === "idat") ? onlyBox(inMeta, "idat") : undefined;
  const types = itemTypes(bytes, onlyBox(inMeta, "iinf"));
  const extents = itemExtents(bytes, onlyBox(inMeta, "iloc"));

  const isKept = ({ type }: Box): boolean => ["ftyp", "meta", "mdat"].includes(type);
  const file = new StrippedFile(bytes, Math.max(...boxes.filter(isKept).map(({ to }) => to)));
  for (const box of boxes) {
    if (box.from >= file.bytes.length) continue;
    if (box.type === "ftyp") file.keep(box.from, box.to);
    else if (isKept(box)) file.keepHeader(box);
    else file.empty(box);
  }
  file.keep(meta.content, meta.content + fullBoxBytes);
  for (const box of inMeta) {
    if (box.type === "iprp") keepProperties(file, bytes, box);
    else if (box.type === "idat") file.keepHeader(box);
    else if (metaBoxes.has(box.type)) file.keep(box.from, box.to);
    else file.empty(box);
  }

  const located = [...extents].map(([id, each]) => ({
    type: types.get(id) ?? "",
    extents: locate(each, mediaData, itemData),
  }));
  // Readers that ask for the Exif data find an empty one instead of zeros, which some refuse.
  for (const { type, extents: parts } of located)
    if (type === "Exif" && parts.length === 1 && parts[0].to - parts[0].from >= emptyExif.length)
      file.bytes.set(emptyExif, parts[0].from);
  const pictures = located.filter(({ type }) => pictureItems.has(type));
  if (pictures.length === 0) throw new MalformedImage("the AVIF file has no picture");
  for (const { extents: parts } of pictures) for (const { from, to } of parts) file.keep(from, to);
  return file.bytes;
}
