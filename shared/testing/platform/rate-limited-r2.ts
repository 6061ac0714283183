/** Milliseconds in which R2 takes one write to a key. */
const writeIntervalMs = 1000;

/** The error that R2 throws at a write to a key that was written less than a second before. */
export const tooManyWrites = (): Error =>
  new Error("put: Reduce your concurrent request rate for the same object. (10058)");

/**
 * Returns a bucket that refuses as R2 does, and as the local runtime does not: a second `put` to a key within a second
 * throws an error with the code 10058. A refused write changes nothing, and counts no write. Reads, deletions and writes
 * to other keys pass. `now` returns milliseconds.
 */
export function rateLimitedBucket<B extends Pick<R2Bucket, "put">>(
  bucket: B,
  now: () => number = Date.now,
): B {
  const writtenAt = new Map<string, number>();
  const put = async (...[key, ...rest]: Parameters<R2Bucket["put"]>): Promise<unknown> => {
    const last = writtenAt.get(key);
    if (last !== undefined && now() - last < writeIntervalMs) throw tooManyWrites();
    writtenAt.set(key, now());
    return bucket.put(key, ...rest);
  };
  return new Proxy(bucket, {
    get(target, name) {
      if (name === "put") return put;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
