/** Largest absolute value of a standardized feature; larger values are clipped. */
export const maxStandardized = 5;

/**
 * The operations that the network uses. Two interpreters implement them: the tape trains, and the ONNX builder exports.
 * The trained and the exported network therefore cannot differ. `T` is an interpreter's tensor, a matrix.
 */
export interface Ops<T> {
  /** Returns the parameter with this name. */
  parameter(name: string): T;
  /** Returns x [n, i] times w [i, o], plus b [1, o] if given. */
  linear(x: T, w: T, b?: T): T;
  /** Returns max(0, x), elementwise. */
  relu(x: T): T;
  /** Returns a + b, elementwise; b has the shape of a, or is one row that is added to each row of a. */
  add(a: T, b: T): T;
  /** Returns a * b, elementwise; b has the shape of a, or is one row that multiplies each row of a. */
  multiply(a: T, b: T): T;
  /**
   * Returns (x - mean) * scale, clipped to ±{@link maxStandardized}; mean and scale are [1, columns] and not trained.
   */
  standardize(x: T, mean: T, scale: T): T;
  /** Returns the rows of table [c, e] at indices [n]: [n, e]. */
  gather(table: T, indices: T): T;
  /** Returns a [n, e] times the transpose of b [h, e]: [n, h]. */
  similarity(a: T, b: T): T;
  /** Returns column `column` of x [n * h, p] as [n, h]. */
  column(x: T, column: number, h: number): T;
  /** Returns the values of x in rows of `columns` values. */
  reshape(x: T, columns: number): T;
  /** Returns the softmax of each row of logits [n, h] over the columns where mask [1, h] is 1; zeros elsewhere. */
  maskedSoftmax(logits: T, mask: T): T;
  /** Returns the sums of the rows of values [n * h, a], weighted by weights [n, h]: [n, a]. */
  pool(weights: T, values: T): T;
  /** Returns the matrices side by side; all have the same number of rows. */
  concat(parts: T[]): T;
}
