/** What {@link withTimeout} returns for a promise that takes too long. */
export const timedOut = Symbol("timed out");

/** Returns what a promise resolves to, or `timedOut` where it takes longer than `ms`. */
export async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T | typeof timedOut> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<typeof timedOut>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms), timedOut);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
