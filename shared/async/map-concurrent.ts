/**
 * Calls `work` for every item, with at most `maxConcurrent` calls running at the same time. Resolves after the last
 * call, and rejects with the first error.
 */
export async function mapConcurrent<T>(
  maxConcurrent: number,
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(maxConcurrent, items.length) }, worker));
}
