import type { LogBucket, LogObject, LogObjectBody, LogObjectPage } from "../log-bucket.ts";

interface StoredObject extends LogObject {
  bytes: Uint8Array<ArrayBuffer>;
}

/** What the calls of a bucket did. */
export interface BucketCounts {
  calls: number;
  /** Keys that calls of `list` returned. */
  listed: number;
  /** Bytes of objects and of their metadata that calls returned. */
  bytesRead: number;
  bytesWritten: number;
  reads: number;
  writes: number;
}

const maxKeysPerPage = 1000;

const noCounts = (): BucketCounts => ({
  ...{ calls: 0, listed: 0, bytesRead: 0, bytesWritten: 0, reads: 0, writes: 0 },
});

/**
 * A bucket in memory with the consistency of R2, that counts its calls and fails on demand. `now` returns the time of
 * uploads, in seconds since the Unix epoch.
 */
export class MemoryBucket implements LogBucket {
  readonly #objects = new Map<string, StoredObject>();
  readonly #now: () => number;
  /** The keys in their order as of the last use, and whether keys changed since; `#added` has the new ones. */
  #sorted: string[] = [];
  readonly #added = new Set<string>();
  #unsorted = false;
  #versions = 0;
  #callsLeft = Number.POSITIVE_INFINITY;
  #lastCallWorks = false;
  #counts = noCounts();
  /** Called before each call; tests let others change the bucket here. */
  beforeCall: (method: string, key: string) => Promise<void> = async () => undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Lets all calls fail after the next `calls`. With `lastCallWorks`, the first of them does its work. */
  failAfter(calls: number, lastCallWorks: boolean): void {
    this.#callsLeft = calls;
    this.#lastCallWorks = lastCallWorks;
  }

  /** Returns whether a call has failed since {@link failAfter}; lets no more calls fail. */
  recover(): boolean {
    const hasFailed = this.#callsLeft < 0;
    this.#callsLeft = Number.POSITIVE_INFINITY;
    return hasFailed;
  }

  /** Returns what the calls did since the last call of this method. */
  async takeCounts(): Promise<BucketCounts> {
    const { counts } = this;
    this.#counts = noCounts();
    return counts;
  }

  get counts(): BucketCounts {
    return { ...this.#counts };
  }

  get keys(): string[] {
    if (this.#unsorted) {
      const keys = [...this.#sorted, ...this.#added].filter((key) => this.#objects.has(key));
      // Most keys are in order already, which makes sorting fast.
      this.#sorted = [...new Set(keys)].sort();
      this.#added.clear();
      this.#unsorted = false;
    }
    return this.#sorted;
  }

  /** Returns the number of keys with a prefix. */
  countBelow(prefix: string): number {
    return lowerBound(this.keys, `${prefix}\uffff`) - lowerBound(this.keys, prefix);
  }

  get bytes(): number {
    let sum = 0;
    for (const { size } of this.#objects.values()) sum += size;
    return sum;
  }

  async #call<T>(method: string, key: string, work: () => T): Promise<T> {
    await this.beforeCall(method, key);
    this.#counts.calls++;
    if (this.#callsLeft-- > 0) return work();
    if (this.#callsLeft === -1 && this.#lastCallWorks) work();
    throw new Error(`the bucket fails at ${method} ${key}`);
  }

  list({
    prefix = "",
    delimiter,
    startAfter = "",
    cursor = startAfter,
    limit = maxKeysPerPage,
  }: Parameters<LogBucket["list"]>[0]): Promise<LogObjectPage> {
    return this.#call("list", prefix, () => {
      const page: LogObjectPage = { objects: [], delimitedPrefixes: [], truncated: false };
      const { keys } = this;
      let at = lowerBound(keys, cursor > prefix ? cursor : prefix);
      let last = cursor;
      for (; at < keys.length && keys[at].startsWith(prefix); at++) {
        const key = keys[at];
        if (key <= cursor) continue;
        if (page.objects.length + page.delimitedPrefixes.length >= Math.min(limit, maxKeysPerPage)) {
          page.truncated = true;
          page.cursor = last;
          break;
        }
        const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
        if (end >= 0) {
          const folder = key.slice(0, end + 1);
          page.delimitedPrefixes.push(folder);
          last = `${folder}\uffff`;
          at = lowerBound(keys, last) - 1;
          continue;
        }
        const stored = this.#objects.get(key);
        if (stored) page.objects.push(objectOf(stored));
        last = key;
      }
      this.#counts.listed += page.objects.length + page.delimitedPrefixes.length;
      return page;
    });
  }

  head(key: string): Promise<LogObject | null> {
    return this.#call("head", key, () => {
      this.#counts.reads++;
      const stored = this.#objects.get(key);
      if (!stored) return null;
      this.#counts.bytesRead += metadataBytes(stored);
      return objectOf(stored);
    });
  }

  get(key: string): Promise<LogObjectBody | null> {
    return this.#call("get", key, () => {
      this.#counts.reads++;
      const stored = this.#objects.get(key);
      if (!stored) return null;
      this.#counts.bytesRead += stored.size + metadataBytes(stored);
      const { bytes } = stored;
      return {
        ...objectOf(stored),
        arrayBuffer: async () => bytes.slice().buffer,
        text: async () => new TextDecoder().decode(bytes),
      };
    });
  }

  put(
    key: string,
    value: Parameters<LogBucket["put"]>[1],
    { onlyIf, customMetadata }: Parameters<LogBucket["put"]>[2] = {},
  ): Promise<{ etag: string } | null> {
    return this.#call("put", key, () => {
      const earlier = this.#objects.get(key);
      if (onlyIf?.etagMatches !== undefined && onlyIf.etagMatches !== earlier?.etag) return null;
      if (onlyIf?.etagDoesNotMatch === "*" && earlier) return null;
      const bytes = bytesOf(value);
      const isSame =
        earlier !== undefined &&
        bytes.every((byte, i) => byte === earlier.bytes[i]) &&
        bytes.length === earlier.size;
      const etag = isSame ? earlier.etag : `v${++this.#versions}`;
      const uploaded = new Date(this.#now() * 1000);
      this.#objects.set(key, { key, bytes, size: bytes.length, etag, uploaded, customMetadata });
      if (!earlier) {
        this.#added.add(key);
        this.#unsorted = true;
      }
      this.#counts.writes++;
      this.#counts.bytesWritten += bytes.length;
      return { etag };
    });
  }

  delete(keys: string | string[]): Promise<void> {
    const list = typeof keys === "string" ? [keys] : keys;
    if (list.length > maxKeysPerPage) throw new Error("R2 deletes at most 1,000 keys in one call");
    return this.#call("delete", list[0], () => {
      for (const key of list) this.#objects.delete(key);
      this.#unsorted = true;
    });
  }
}

function bytesOf(value: Parameters<LogBucket["put"]>[1]): Uint8Array<ArrayBuffer> {
  if (typeof value === "string") return new Uint8Array(new TextEncoder().encode(value));
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
}

const objectOf = ({ bytes: _bytes, ...object }: StoredObject): LogObject => object;

const metadataBytes = ({ customMetadata }: StoredObject): number =>
  customMetadata === undefined ? 0 : JSON.stringify(customMetadata).length;

/** Returns the index of the first text that is not less than `text` in a sorted list. */
function lowerBound(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
