/**
 * Lists the indices of scores, largest score first, ties by index, and goes on where it ended. Of `n` scores, the first
 * `k` take work of order n + k log n: a heap of all is built once.
 */
export class BestFirst {
  readonly #scores: ArrayLike<number>;
  readonly #heap: Uint32Array;
  #size: number;

  /** Lists the first `count` of the scores, which must not change meanwhile. */
  constructor(scores: ArrayLike<number>, count: number) {
    this.#scores = scores;
    this.#size = count;
    this.#heap = new Uint32Array(count);
    for (let i = 0; i < count; i++) this.#heap[i] = i;
    for (let i = (count >> 1) - 1; i >= 0; i--) this.#place(i, this.#heap[i]);
  }

  /** Returns the next `k` indices; fewer at the end. */
  take(k: number): number[] {
    const indices: number[] = [];
    while (indices.length < k && this.#size > 0) {
      indices.push(this.#heap[0]);
      const last = this.#heap[--this.#size];
      if (this.#size > 0) this.#place(0, last);
    }
    return indices;
  }

  /** Puts an index at a position of the heap or below it. */
  #place(start: number, index: number): void {
    const heap = this.#heap;
    const scores = this.#scores;
    const score = scores[index];
    let at = start;
    for (let child = 2 * at + 1; child < this.#size; child = 2 * at + 1) {
      let largest = heap[child];
      if (child + 1 < this.#size) {
        const other = heap[child + 1];
        if (scores[other] > scores[largest] || (scores[other] === scores[largest] && other < largest)) {
          largest = other;
          child++;
        }
      }
      if (score > scores[largest] || (score === scores[largest] && index < largest)) break;
      heap[at] = largest;
      at = child;
    }
    heap[at] = index;
  }
}
