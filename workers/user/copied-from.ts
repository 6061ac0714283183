import { hash53 } from "../../model/columns/hash.ts";

/** Returns the column `batch` that earlier versions gave to the rows that a merge copied from a user. */
export const oldBatchOf = ({ pseudonym, generation }: { pseudonym: string; generation: number }): string =>
  `merge:${pseudonym}:${generation}`;

/** Returns the column `copied_from` of a row of earlier versions, from their column `batch`; null for a user's own row. */
export const copiedFromOldBatch = (batch: string): number | null =>
  batch.startsWith("merge:") ? hash53(batch) : null;
