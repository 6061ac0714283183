import { errorText } from "../../../shared/errors/error-text.ts";

/** Failed attempts after which the remaining items are not tried: so many failures mean an outage, not bad items. */
const maxFailures = 16;

/** The outcome of {@link bisectBatch}. */
export interface BisectedBatch<T> {
  done: T[];
  /** Failed items, each with the text of its error. */
  failed: { item: T; cause: string }[];
}

/**
 * Runs `work` on all items at once. If it fails, runs it on each half, down to single items, so that a bad item does
 * not block the others. `work` must be idempotent: it may run again on items that were part of a failed attempt. Once
 * `mayTry` returns false, the remaining items are not tried: half of the items are done then, unless all attempts failed.
 */
export async function bisectBatch<T>(
  items: readonly T[],
  work: (items: readonly T[]) => Promise<void>,
  mayTry: () => boolean = () => true,
): Promise<BisectedBatch<T>> {
  const result: BisectedBatch<T> = { done: [], failed: [] };
  const pending: (readonly T[])[] = [items];
  let failures = 0;
  let lastCause = "";
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part.length === 0) continue;
    if (failures >= maxFailures || (failures > 0 && !mayTry())) {
      for (const item of part) result.failed.push({ item, cause: lastCause });
      continue;
    }
    try {
      await work(part);
      result.done.push(...part);
    } catch (error) {
      failures++;
      lastCause = errorText(error);
      if (part.length === 1) result.failed.push({ item: part[0], cause: lastCause });
      else {
        const half = Math.ceil(part.length / 2);
        pending.push(part.slice(half), part.slice(0, half));
      }
    }
  }
  return result;
}
