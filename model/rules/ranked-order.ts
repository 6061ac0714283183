import { compareProductIds } from "../columns/product-identity.ts";
import { BestFirst } from "../retrieval/best-first.ts";
import type { RankedRow } from "./ranked-row.ts";

/** Compares two rows by score, best first, ties by product. */
export const compareRanked = (a: RankedRow, b: RankedRow): number =>
  b.score - a.score || compareProductIds(a.block, a.row, b.block, b.row);

/** Rows that are sorted at once, at least. */
const minSorted = 64;

/**
 * Rows by score, best first, ties by product, without those that `isKept` refuses: it is called in this order.
 *
 * A list reads few of many rows, so only as many are sorted as are read: a heap finds the score of the last of them, and the rows from this score on are sorted.
 */
export class RankedOrder<R extends RankedRow> {
  /** Rows that are not sorted yet. None has a better score than the last sorted one. */
  #rest: readonly R[];
  readonly #sorted: R[] = [];
  readonly #isKept: (row: R) => boolean;

  /** `isSorted` says that the rows are in this order already. */
  constructor(rows: readonly R[], isKept: (row: R) => boolean, isSorted = false) {
    this.#isKept = isKept;
    this.#rest = isSorted ? [] : rows;
    if (isSorted) this.#sorted.push(...rows.filter(isKept));
  }

  /** Returns the row at a position, from 0; undefined beyond the last one. */
  at(position: number): R | undefined {
    while (position >= this.#sorted.length && this.#rest.length > 0) this.#sortMore();
    return this.#sorted[position];
  }

  /** Returns the first `count` rows; fewer if there are not as many. */
  first(count: number): R[] {
    this.at(count - 1);
    return this.#sorted.slice(0, count);
  }

  /** Sorts at least as many rows as are sorted, so that all steps together cost twice the last one. */
  #sortMore(): void {
    const count = Math.max(minSorted, this.#sorted.length);
    const last = count < this.#rest.length ? this.#scoreAt(count) : Number.NEGATIVE_INFINITY;
    const best = this.#rest.filter(({ score }) => score >= last);
    this.#rest = this.#rest.filter(({ score }) => score < last);
    best.sort(compareRanked);
    for (const each of best) if (this.#isKept(each)) this.#sorted.push(each);
  }

  /** Returns the score of the `count`-th best row. */
  #scoreAt(count: number): number {
    const scores = Float64Array.from(this.#rest, ({ score }) => score);
    const [last] = new BestFirst(scores, scores.length).take(count).slice(-1);
    return scores[last];
  }
}
