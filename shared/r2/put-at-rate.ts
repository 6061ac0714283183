/** Code at the end of R2's message for a key that was written less than a second before. */
const tooManyRequests = "(10058)";
/** Milliseconds between two writes to one key: R2 takes one write a second. */
const waitMs = 1100;
const maxAttempts = 5;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Returns whether an error is R2's refusal of a key that is written more than once a second. */
export const isRateRefusal = (error: unknown): boolean =>
  error instanceof Error && error.message.endsWith(tooManyRequests);

/**
 * Returns what `put` returns. Where R2 refuses because the key was written within the last second, waits for a second
 * and tries again, five times at most. Throws what `put` throws otherwise.
 */
export async function retryAtRate<T>(
  put: () => Promise<T>,
  wait: (ms: number) => Promise<void> = sleep,
): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await put();
    } catch (error) {
      if (attempt === maxAttempts || !isRateRefusal(error)) throw error;
      await wait(waitMs);
    }
}

/** Puts an object, as {@link retryAtRate}: an interrupted attempt of the same work may have written it just before. */
export async function putAtRate(
  bucket: { put(key: string, value: string | ArrayBuffer | ArrayBufferView): Promise<unknown> },
  key: string,
  value: string | ArrayBuffer | ArrayBufferView<ArrayBuffer>,
  wait: (ms: number) => Promise<void> = sleep,
): Promise<void> {
  await retryAtRate(() => bucket.put(key, value), wait);
}
