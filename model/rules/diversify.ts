import type { BlockRow } from "../features/list-summary.ts";
import type { RankedRow } from "./ranked-row.ts";
import { SelectedProducts, traitsOf } from "./similarity.ts";

/**
 * Selects up to `limit` products of `pool`, one after the other, by maximal marginal relevance (Carbonell and Goldstein,
 * SIGIR 1998): the share `1 - diversity` of a product's score, against the share `diversity` of its similarity to the
 * most similar product selected before. `pool` is sorted by score, best first; ties keep its order. `add` adds a product
 * to the list, and returns false if a cap forbids it. `before` are products that the list has already.
 *
 * The similarity of a product to the list only grows, so its value only falls. A heap orders the products by the values
 * last computed, which are upper bounds. The first one is computed anew: if its value still holds, it is the best of
 * all, otherwise it sinks. The similarity has few values, so a product sinks a few times at most: the work is of order
 * n log n in the size n of the pool, whatever the limit is.
 */
export function diversify<R extends RankedRow>(
  pool: readonly R[],
  limit: number,
  diversity: number,
  add: (each: R) => boolean,
  before: readonly BlockRow[] = [],
): void {
  const traits = pool.map(traitsOf);
  const selected = new SelectedProducts();
  for (const each of before) selected.add(traitsOf(each));
  const bestScore = pool[0]?.score || 1;
  const relevance = Float64Array.from(pool, ({ score }) => (1 - diversity) * (score / bestScore));
  const values = relevance.slice();
  // A list that is sorted by value is a heap.
  const heap = new IndexHeap(values);
  for (let added = 0; added < limit && heap.size > 0; ) {
    const best = heap.first();
    const value = relevance[best] - diversity * selected.maxSimilarity(traits[best]);
    if (value < values[best]) {
      values[best] = value;
      heap.sinkFirst();
      continue;
    }
    heap.removeFirst();
    if (!add(pool[best])) continue;
    added++;
    selected.add(traits[best]);
  }
}

/** A binary heap of the indices of `values`, the largest value first, ties by index. `values` must be sorted so. */
class IndexHeap {
  readonly #values: Float64Array;
  readonly #heap: Uint32Array;
  size: number;

  constructor(values: Float64Array) {
    this.#values = values;
    this.#heap = Uint32Array.from(values.keys());
    this.size = values.length;
  }

  /** Returns the index of the largest value. */
  first(): number {
    return this.#heap[0];
  }

  removeFirst(): void {
    this.#heap[0] = this.#heap[--this.size];
    this.sinkFirst();
  }

  /** Restores the order after the value of the first index has fallen. */
  sinkFirst(): void {
    const heap = this.#heap;
    const moved = heap[0];
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.size) break;
      const right = left + 1;
      const child = right < this.size && this.#isBefore(heap[right], heap[left]) ? right : left;
      if (!this.#isBefore(heap[child], moved)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = moved;
  }

  #isBefore(a: number, b: number): boolean {
    return this.#values[a] > this.#values[b] || (this.#values[a] === this.#values[b] && a < b);
  }
}
