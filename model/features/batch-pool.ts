import { emptyBatch, type FeatureBatch, type FeatureShape } from "./batch.ts";

/** Free batches that a pool keeps: about as many rankings overlap in one isolate. */
const maxPooledBatches = 4;

/**
 * Pool of feature batches. A batch takes a third of a megabyte: allocating one for each ranking would keep the garbage
 * collector busy. A batch that is never released is collected as garbage.
 */
export class BatchPool {
  readonly #shape: FeatureShape;
  readonly #capacity: number;
  readonly #free: FeatureBatch[] = [];

  /** `capacity` is the number of candidates for which each pooled batch has memory. */
  constructor(shape: FeatureShape, capacity: number) {
    this.#shape = shape;
    this.#capacity = capacity;
  }

  /**
   * Returns a batch for `count` candidates with arbitrary content. It allocates the batch if none is free or `count`
   * exceeds the capacity.
   */
  acquire(count: number): FeatureBatch {
    if (count > this.#capacity) return emptyBatch(this.#shape, count);
    const whole = this.#free.pop() ?? emptyBatch(this.#shape, this.#capacity);
    return {
      ...whole,
      count,
      dense: whole.dense.subarray(0, count * this.#shape.dense.length),
      pair: whole.pair.subarray(0, count * this.#shape.history * this.#shape.pair.length),
      category: whole.category.subarray(0, count),
    };
  }

  /**
   * Returns a batch of {@link acquire} to the pool. The caller must release it once only and not read it afterwards.
   */
  release(batch: FeatureBatch): void {
    if (batch.count > this.#capacity || this.#free.length >= maxPooledBatches) return;
    this.#free.push({
      ...batch,
      count: this.#capacity,
      dense: new Float32Array(batch.dense.buffer),
      pair: new Float32Array(batch.pair.buffer),
      category: new Int32Array(batch.category.buffer),
    });
  }
}
