/** A matrix on the tape, row by row: its values and, if needed, the gradient of the loss with respect to them. */
export interface Tensor {
  rows: number;
  columns: number;
  data: Float32Array;
  /** Null for inputs and statistics, which need no gradient. */
  grad: Float32Array | null;
}
