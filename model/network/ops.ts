/**
 * The operations of which the network is made. Two interpreters implement them: the tape, which trains, and the ONNX
 * builder, which exports; so the two cannot drift apart. Tensors are matrices; `T` is an interpreter's tensor.
 */
export interface Ops<T> {
  /** A trained matrix by name. */
  parameter(name: string): T;
  /** x [n, i] times w [i, o], plus b [1, o] where it is given. */
  linear(x: T, w: T, b?: T): T;
  relu(x: T): T;
  /** Element by element, as the next: equal shapes, or b one row that meets each row of a. */
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
  /** The same numbers in rows of `columns`. */
  fold(x: T, columns: number): T;
  /** Softmax over each row of logits [n, h] where mask [1, h] is 1; all zeros where it is never 1. */
  maskedSoftmax(logits: T, mask: T): T;
  /** Sums rows of values [n * h, a] by weights [n, h]: [n, a]. */
  pool(weights: T, values: T): T;
  /** Side by side: equal rows. */
  concat(parts: T[]): T;
}
