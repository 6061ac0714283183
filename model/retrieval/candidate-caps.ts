import { type Columns, categoryOf, groupIdOf } from "../columns/columns.ts";

/**
 * Variants of one group that are candidates, at most. The ranker chooses among them. Without a limit, the sizes of one
 * shirt could be all candidates.
 */
export const maxVariants = 4;

/** How many candidates one group of variants and one category may be. */
export interface CandidateCaps {
  /** Default: {@link maxVariants}. */
  perGroup?: number;
  /** Default: no limit. */
  perCategory?: number;
}

/**
 * Returns the limits with which `candidates` candidates fill a list of `length` products, of which at most `perCategory`
 * are of one category: no group and no category takes the places of others. There must be as many candidates as products
 * of the list.
 */
export const candidateCapsFor = (
  candidates: number,
  length: number,
  perCategory?: number,
): CandidateCaps => ({
  perGroup: Math.max(1, Math.min(maxVariants, Math.floor(candidates / length))),
  ...(perCategory === undefined
    ? {}
    : { perCategory: Math.max(perCategory, Math.floor((candidates * perCategory) / length)) }),
});

/** Counts the rows that became candidates, by group and category. */
export class CandidateCounter {
  readonly #perGroup: number;
  readonly #perCategory: number;
  readonly #groups = new Map<string, number>();
  readonly #categories = new Map<string, number>();

  constructor({ perGroup = maxVariants, perCategory = Number.POSITIVE_INFINITY }: CandidateCaps = {}) {
    this.#perGroup = perGroup;
    this.#perCategory = perCategory;
  }

  /** Returns whether the caps allow a row, and counts it if so. */
  take(block: Columns, row: number): boolean {
    const group = groupIdOf(block, row);
    const variants = group === null ? 0 : (this.#groups.get(group) ?? 0);
    if (variants >= this.#perGroup) return false;
    if (this.#perCategory < Number.POSITIVE_INFINITY) {
      const category = categoryOf(block, row);
      const count = this.#categories.get(category) ?? 0;
      if (count >= this.#perCategory) return false;
      this.#categories.set(category, count + 1);
    }
    if (group !== null) this.#groups.set(group, variants + 1);
    return true;
  }
}
