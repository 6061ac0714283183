/**
 * Returns the indices of the `k` largest of the first `count` scores, largest first, ties by index. A heap holds the
 * best so far, so that a score that is not among them costs one comparison.
 */
export function topIndices(scores: ArrayLike<number>, count: number, k: number): number[] {
  const heap: number[] = [];
  const worse = (a: number, b: number): boolean =>
    scores[a] < scores[b] || (scores[a] === scores[b] && a > b);
  const sink = (): void => {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const child = right < heap.length && worse(heap[right], heap[left]) ? right : left;
      if (!worse(heap[child], heap[at])) return;
      const below = heap[child];
      heap[child] = heap[at];
      heap[at] = below;
      at = child;
    }
  };
  for (let i = 0; i < count; i++) {
    if (heap.length < k) {
      let at = heap.push(i) - 1;
      while (at > 0 && worse(heap[at], heap[(at - 1) >> 1])) {
        const parent = (at - 1) >> 1;
        heap[at] = heap[parent];
        heap[parent] = i;
        at = parent;
      }
    } else if (k > 0 && worse(heap[0], i)) {
      heap[0] = i;
      sink();
    }
  }
  return heap.sort((a, b) => (worse(a, b) ? 1 : -1));
}
