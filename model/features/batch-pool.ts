import { emptyBatch, type FeatureBatch, type FeatureShape } from "./batch.ts";

/** Batches that are kept: as many rankings as overlap in one isolate, as a rule. */
const maxKept = 4;

/**
 * Memory of batches, filled again and again: a third of a megabyte for each ranking would keep the collector running.
 * A batch that is never given back is lost to the pool, and nothing else happens.
 */
export class BatchPool {
  readonly #shape: FeatureShape;
  readonly #room: number;
  readonly #free: FeatureBatch[] = [];

  /** `room`: candidates that each batch has memory for. */
  constructor(shape: FeatureShape, room: number) {
    this.#shape = shape;
    this.#room = room;
  }

  /** A batch for `count` candidates, holding whatever it held before; a new one where none is free or has the room. */
  take(count: number): FeatureBatch {
    if (count > this.#room) return emptyBatch(this.#shape, count);
    const whole = this.#free.pop() ?? emptyBatch(this.#shape, this.#room);
    return {
      ...whole,
      count,
      dense: whole.dense.subarray(0, count * this.#shape.dense.length),
      pair: whole.pair.subarray(0, count * this.#shape.history * this.#shape.pair.length),
      category: whole.category.subarray(0, count),
    };
  }

  /** Takes back what {@link take} gave, once; from then on nobody else may read it. */
  give(batch: FeatureBatch): void {
    if (batch.count > this.#room || this.#free.length >= maxKept) return;
    this.#free.push({
      ...batch,
      count: this.#room,
      dense: new Float32Array(batch.dense.buffer),
      pair: new Float32Array(batch.pair.buffer),
      category: new Int32Array(batch.category.buffer),
    });
  }
}
