/**
 * The operations of which the network is made. Two interpreters implement them: the tape, which trains, and the ONNX
 * builder, which exports; so the two cannot drift apart. Tensors are matrices; `T` is an interpreter's tensor.
 */
export interface Ops<T> {
  /** A trained matrix by name. */
  parameter(name: string): T;
  /** x [n, i] times w [i, o] plus b [1, o]. */
  linear(x: T, w: T, b: T): T;
  relu(x: T): T;
  /** Element by element, as the next: equal shapes. */
  add(a: T, b: T): T;
  multiply(a: T, b: T): T;
  /** (x - mean) * scale, clipped to [-5, 5]; mean and scale are [1, columns] and not trained. */
  standardize(x: T, mean: T, scale: T): T;
  /** Rows of a table [c, e] by indices [n]. */
  gather(table: T, indices: T): T;
  /** a [n, e] times the transpose of b [h, e]: [n, h]. */
  similarity(a: T, b: T): T;
  /** Column `column` of x [n * h, p] as [n, h]. */
  column(x: T, column: number, h: number): T;
  /** x [n * h, 1] as [n, h]. */
  fold(x: T, h: number): T;
  /** Softmax over each row of logits [n, h] where mask [n, h] is 1; rows of all zeros where it is never 1. */
  maskedSoftmax(logits: T, mask: T): T;
  /** Sums rows of values [n * h, a] by weights [n, h]: [n, a]. */
  pool(weights: T, values: T): T;
  /** Side by side: equal rows. */
  concat(parts: T[]): T;
}
