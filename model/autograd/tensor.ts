/** A matrix on the tape: values, and the gradient of the loss with respect to them where it is wanted. */
export interface Tensor {
  rows: number;
  columns: number;
  data: Float32Array;
  /** Null where no gradient is wanted: inputs and statistics. */
  grad: Float32Array | null;
}

/** Matrices cut from one buffer that is used again for every list: training allocates nothing. */
export class Arena {
  #buffer: Float32Array;
  #at = 0;

  constructor(size = 1 << 20) {
    this.#buffer = new Float32Array(size);
  }

  /** Gives all back. What was cut before must not be used any more. */
  reset(): void {
    this.#at = 0;
  }

  /** `size` zeros. */
  take(size: number): Float32Array {
    if (this.#at + size > this.#buffer.length) {
      // What was cut from the old buffer keeps it alive until the reset.
      this.#buffer = new Float32Array(Math.max(2 * this.#buffer.length, size));
      this.#at = 0;
    }
    const part = this.#buffer.subarray(this.#at, this.#at + size);
    part.fill(0);
    this.#at += size;
    return part;
  }
}
