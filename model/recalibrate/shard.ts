import { type LoggedExample, loggedExample } from "./logged-examples.ts";

/** Bytes before each example: the lengths of its JSON and of its features (uint32, little-endian). */
const prefixBytes = 8;

/** Returns an example as bytes: two lengths, then all fields but the features as JSON, then the features. */
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

/** Returns a shard: the encoded examples concatenated. */
export function encodeShard(examples: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(examples.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const example of examples) {
    bytes.set(example, at);
    at += example.byteLength;
  }
  return bytes;
}

/** Writes examples into shards of limited size. Only the shard being filled is in memory. */
export class ShardWriter {
  readonly #put: (part: number, shard: Uint8Array<ArrayBuffer>) => Promise<void>;
  readonly #maxBytes: number;
  #part: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  /** `firstPart` is the part of the first shard; `put` stores a full shard. */
  constructor(
    firstPart: number,
    maxBytes: number,
    put: (part: number, shard: Uint8Array<ArrayBuffer>) => Promise<void>,
  ) {
    this.#part = firstPart;
    this.#maxBytes = maxBytes;
    this.#put = put;
  }

  /** Adds an example. Returns the part that will hold it. */
  async add(example: LoggedExample): Promise<number> {
    const encoded = encodeExample(example);
    if (this.#pendingBytes + encoded.byteLength > this.#maxBytes) await this.flush();
    this.#pending.push(encoded);
    this.#pendingBytes += encoded.byteLength;
    return this.#part;
  }

  /** Stores the pending examples. Returns the next part. */
  async flush(): Promise<number> {
    if (this.#pending.length > 0) await this.#put(this.#part++, encodeShard(this.#pending));
    this.#pending = [];
    this.#pendingBytes = 0;
    return this.#part;
  }
}

/**
 * Yields the examples of a shard, each decoded on demand. Their features are views of `bytes`. Throws if the shard is
 * damaged.
 */
export function* decodeShard(bytes: Uint8Array): Generator<LoggedExample> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; ) {
    const head = at + prefixBytes;
    const body = head + view.getUint32(at, true);
    const end = body + view.getUint32(at + 4, true);
    if (end > bytes.byteLength)
      throw new Error(`the shard is damaged: its example at byte ${at} ends after byte ${bytes.byteLength}`);
    const rest = loggedExample.parse(JSON.parse(new TextDecoder().decode(bytes.subarray(head, body))));
    yield { ...rest, features: bytes.subarray(body, end) };
    at = end;
  }
}
