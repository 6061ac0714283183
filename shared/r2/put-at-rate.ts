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
 * Puts an object. Where R2 refuses because the key was written within the last second, as by an interrupted attempt of
 * the same work, waits for a second and tries again, five times at most. Throws what R2 throws otherwise.
 */
export async function putAtRate(
  bucket: { put(key: string, value: string | ArrayBuffer | ArrayBufferView): Promise<unknown> },
  key: string,
  value: string | ArrayBuffer | ArrayBufferView<ArrayBuffer>,
  wait: (ms: number) => Promise<void> = sleep,
): Promise<void> {
  for (let attempt = 1; ; attempt++)
    try {
      await bucket.put(key, value);
      return;
    } catch (error) {
      if (attempt === maxAttempts || !isRateRefusal(error)) throw error;
      await wait(waitMs);
    }
}
