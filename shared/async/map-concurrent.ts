/** Does work for all items, at most `most` of it at the same time; whichever is done first makes room for the next. */
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
