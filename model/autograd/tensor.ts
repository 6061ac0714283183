/** A matrix on the tape, row by row: its values and, if needed, the gradient of the loss with respect to them. */
export interface Tensor {
  rows: number;
  columns: number;
  data: Float32Array;
  /** Null for inputs and statistics, which need no gradient. */
  grad: Float32Array | null;
}

/** Allocates matrices from one buffer that every training list reuses, so that training steps create no garbage. */
export class Arena {
  #buffer: Float32Array;
  #at = 0;

  constructor(size = 1 << 20) {
    this.#buffer = new Float32Array(size);
  }

  /** Frees all allocations. The caller must not use earlier allocations any more. */
  reset(): void {
    this.#at = 0;
  }

  /** Returns an array of `size` zeros, valid until the next reset. */
  take(size: number): Float32Array {
    if (this.#at + size > this.#buffer.length) {
      // Earlier allocations still reference the old buffer and stay valid until the reset.
      this.#buffer = new Float32Array(Math.max(2 * this.#buffer.length, size));
      this.#at = 0;
    }
    const part = this.#buffer.subarray(this.#at, this.#at + size);
    part.fill(0);
    this.#at += size;
    return part;
  }
}
