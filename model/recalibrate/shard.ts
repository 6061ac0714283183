import { z } from "zod";
import { type LoggedExample, loggedExample } from "./logged.ts";

const header = z.array(loggedExample.extend({ bytes: z.number().int().min(0) }));

/** Examples as bytes: length of the header (uint32, little-endian), the header as JSON, then the features one by one. */
export function encodeShard(examples: readonly LoggedExample[]): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(
    JSON.stringify(examples.map(({ features, ...rest }) => ({ ...rest, bytes: features.byteLength }))),
  );
  const body = examples.reduce((sum, { features }) => sum + features.byteLength, 0);
  const bytes = new Uint8Array(4 + head.byteLength + body);
  new DataView(bytes.buffer).setUint32(0, head.byteLength, true);
  bytes.set(head, 4);
  let at = 4 + head.byteLength;
  for (const { features } of examples) {
    bytes.set(features, at);
    at += features.byteLength;
  }
  return bytes;
}

/** What {@link encodeShard} made. Throws where it is something else. */
export function decodeShard(bytes: Uint8Array): LoggedExample[] {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const entries = header.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))));
  let at = 4 + length;
  return entries.map(({ bytes: size, ...rest }) => {
    const features = bytes.slice(at, at + size);
    at += size;
    return { ...rest, features };
  });
}
