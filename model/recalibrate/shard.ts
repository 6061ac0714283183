import { type LoggedExample, loggedExample } from "./logged-examples.ts";

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

/** Lays examples down in shards, one after the other: no more is held than the one that is being filled. */
export class ShardWriter {
  readonly #put: (part: number, shard: Uint8Array<ArrayBuffer>) => Promise<void>;
  readonly #most: number;
  #part: number;
  #waiting: Uint8Array[] = [];
  #bytes = 0;

  /** Shards of so many bytes at most, the first of the part `first`. */
  constructor(
    first: number,
    most: number,
    put: (part: number, shard: Uint8Array<ArrayBuffer>) => Promise<void>,
  ) {
    this.#part = first;
    this.#most = most;
    this.#put = put;
  }

  /** Adds an example; answers the part that it will lie in. */
  async add(example: LoggedExample): Promise<number> {
    const encoded = encodeExample(example);
    if (this.#bytes + encoded.byteLength > this.#most) await this.end();
    this.#waiting.push(encoded);
    this.#bytes += encoded.byteLength;
    return this.#part;
  }

  /** Lays down what waits; answers the part that comes next. */
  async end(): Promise<number> {
    if (this.#waiting.length > 0) await this.#put(this.#part++, shardOf(this.#waiting));
    this.#waiting = [];
    this.#bytes = 0;
    return this.#part;
  }
}

/** The examples of a shard, each read when it is wanted, their features as views of it. Throws where it is something else. */
export function* examplesIn(bytes: Uint8Array): Generator<LoggedExample> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; ) {
    const head = at + prefixBytes;
    const body = head + view.getUint32(at, true);
    const end = body + view.getUint32(at + 4, true);
    if (end > bytes.byteLength) throw new Error("a shard ends within an example");
    const rest = loggedExample.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(head, body))));
    yield { ...rest, features: bytes.subarray(body, end) };
    at = end;
  }
}
