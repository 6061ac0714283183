import { errorText } from "../../../shared/errors/error-text.ts";

/** Attempts that may fail in one call: in an outage all of them do, and the rest is not tried in vain. */
const maxFailures = 16;

/** What became of work on several items. */
export interface BisectedBatch<T> {
  done: T[];
  /** Those that failed, each with its cause. */
  failed: { item: T; cause: string }[];
}

/**
 * Does work on many items at once. Where it fails, each half is tried by itself, down to the items that fail alone: one
 * bad item does not keep the others from being done. The work may be repeated on items that it was done on before.
 */
export async function bisectBatch<T>(
  items: readonly T[],
  work: (items: readonly T[]) => Promise<void>,
): Promise<BisectedBatch<T>> {
  const result: BisectedBatch<T> = { done: [], failed: [] };
  const open: (readonly T[])[] = [items];
  let failures = 0;
  let last = "";
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (part.length === 0) continue;
    if (failures >= maxFailures) {
      for (const item of part) result.failed.push({ item, cause: last });
      continue;
    }
    try {
      await work(part);
      result.done.push(...part);
    } catch (error) {
      failures++;
      last = errorText(error);
      if (part.length === 1) result.failed.push({ item: part[0], cause: last });
      else {
        const half = Math.ceil(part.length / 2);
        open.push(part.slice(half), part.slice(0, half));
      }
    }
  }
  return result;
}
