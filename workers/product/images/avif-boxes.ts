import { checkPartCount, latin1, MalformedImage, readNumber, slice, truncated } from "./bytes.ts";

/** A box of an ISO BMFF file (ISO/IEC 14496-12), by offsets into the file. */
export interface Box {
  type: string;
  from: number;
  /** Where the content begins. */
  content: number;
  to: number;
}

/** Returns the boxes between two offsets. Throws {@link MalformedImage} if one reaches beyond. */
export function boxesIn(bytes: Uint8Array, from: number, to: number): Box[] {
  const boxes: Box[] = [];
  for (let at = from; at < to; ) {
    const short = readNumber(bytes, at, 4);
    const content = at + (short === 1 ? 16 : 8);
    const end = short === 0 ? to : at + (short === 1 ? readNumber(bytes, at + 8, 8) : short);
    if (end > to) throw new MalformedImage(truncated);
    if (end < content) throw new MalformedImage("a box of the AVIF file is shorter than its header");
    boxes.push({ type: latin1(slice(bytes, at + 4, at + 8)), from: at, content, to: end });
    checkPartCount(boxes.length);
    at = end;
  }
  return boxes;
}

/** Bytes of the version and flags with which a full box begins. */
export const fullBoxBytes = 4;

/** Returns the only box of a type. Throws {@link MalformedImage} if there is none, or more than one. */
export function onlyBox(boxes: readonly Box[], type: string): Box {
  const found = boxes.filter((box) => box.type === type);
  if (found.length !== 1) throw new MalformedImage(`the AVIF file must have one "${type}" box`);
  return found[0];
}
