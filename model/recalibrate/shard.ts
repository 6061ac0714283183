import { type LoggedExample, loggedExample } from "./logged.ts";

/** Lengths (uint32, little-endian) before each example: of its JSON, and of its features. */
const prefixBytes = 8;

/** An example as bytes: two lengths, all but its features as JSON, then the features. */
export function encodeExample({ features, ...rest }: LoggedExample): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify(rest));
  const bytes = new Uint8Array(prefixBytes + head.byteLength + features.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, head.byteLength, true);
  view.setUint32(4, features.byteLength, true);
  bytes.set(head, prefixBytes);
  bytes.set(features, prefixBytes + head.byteLength);
  return bytes;
}

/** A shard: examples one after the other. */
export function shardOf(examples: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(examples.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const example of examples) {
    bytes.set(example, at);
    at += example.byteLength;
  }
  return bytes;
}

/** The examples of a shard, each read when it is wanted. Throws where it is something else. */
export function* examplesIn(bytes: Uint8Array): Generator<LoggedExample> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; ) {
    const head = at + prefixBytes;
    const body = head + view.getUint32(at, true);
    const end = body + view.getUint32(at + 4, true);
    if (end > bytes.byteLength) throw new Error("a shard ends within an example");
    const rest = loggedExample.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(head, body))));
    yield { ...rest, features: bytes.slice(body, end) };
    at = end;
  }
}
