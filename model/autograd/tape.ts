import { maxStandardized, type Ops } from "../network/ops.ts";
import type { MatrixMemory } from "./matrix-memory.ts";
import { newMatrixMemory } from "./new-memory.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Reverse-mode automatic differentiation. Every operation computes its value and records a backward step; `backward`
 * runs these steps in reverse order. The tape uses typed arrays and no dynamic code, so it runs in Node and in a
 * Worker.
 */
export class Tape implements Ops<Tensor> {
  readonly #memory: MatrixMemory;
  readonly #parameters: ReadonlyMap<string, Tensor>;
  /** Copies of the parameters in the memory of the tape, made when a pass first uses them. */
  readonly #copies = new Map<string, Tensor>();
  #backwardSteps: (() => void)[] = [];

  /** The gradients of `parameters` accumulate over many passes; the caller clears them. */
  constructor(parameters: ReadonlyMap<string, Tensor>, memory: MatrixMemory = newMatrixMemory()) {
    this.#parameters = parameters;
    this.#memory = memory;
  }

  /** Discards the last pass and its tensors. */
  reset(): void {
    this.#backwardSteps = [];
    this.#copies.clear();
    this.#memory.reset();
  }

  /** Propagates the gradients that the caller wrote into the outputs, and adds them to the parameters' gradients. */
  backward(): void {
    for (let i = this.#backwardSteps.length - 1; i >= 0; i--) this.#backwardSteps[i]();
    for (const [name, { grad }] of this.#copies) {
      const total = this.#parameters.get(name)?.grad;
      if (grad && total) for (let i = 0; i < grad.length; i++) total[i] += grad[i];
    }
  }

  /** Returns a tensor without gradient that has a copy of the caller's data. */
  input(rows: number, columns: number, data: Float32Array): Tensor {
    const tensor = this.#allocate(rows, columns, false);
    tensor.data.set(data);
    return tensor;
  }

  /** Returns a column of indices, without gradient. */
  indices(values: Int32Array): Tensor {
    return { rows: values.length, columns: 1, data: Float32Array.from(values), grad: null };
  }

  #allocate(rows: number, columns: number, needsGradient: boolean): Tensor {
    return this.#memory.allocate(rows, columns, needsGradient);
  }

  /** Records a backward step for an operation whose output needs a gradient. */
  #record(out: Tensor, step: (gradient: Float32Array) => void): void {
    this.#backwardSteps.push(() => step(out.grad as Float32Array));
  }

  parameter(name: string): Tensor {
    const copied = this.#copies.get(name);
    if (copied) return copied;
    const tensor = this.#parameters.get(name);
    if (!tensor) throw new Error(`the tape has no parameter named "${name}"`);
    const copy = this.#allocate(tensor.rows, tensor.columns, tensor.grad !== null);
    copy.data.set(tensor.data);
    this.#copies.set(name, copy);
    return copy;
  }

  linear(x: Tensor, w: Tensor, b?: Tensor): Tensor {
    const { rows, columns } = x;
    const memory = this.#memory;
    const out = this.#allocate(rows, w.columns, true);
    const scratch = x.grad ? this.#allocate(w.columns, w.rows, false) : null;
    if (b) for (let row = 0; row < rows; row++) out.data.set(b.data, row * w.columns);
    memory.multiplyAdd(x.data, w.data, out.data, rows, columns, w.columns);
    this.#record(out, (g) => {
      if (w.grad) memory.multiplyTransposedAdd(x.data, g, w.grad, rows, columns, w.columns);
      if (x.grad && scratch)
        memory.multiplyByTransposedAdd(g, w.data, x.grad, rows, columns, w.columns, scratch.data);
      if (b?.grad) addRows(b.grad, g);
    });
    return out;
  }

  relu(x: Tensor): Tensor {
    const out = this.#allocate(x.rows, x.columns, x.grad !== null);
    const { data } = out;
    const { data: values } = x;
    // Signs are random, so that a branch for each number would often be predicted wrongly: both loops have none.
    for (let i = 0; i < values.length; i++) data[i] = 0.5 * (values[i] + Math.abs(values[i]));
    if (x.grad)
      this.#record(out, (g) => {
        const grad = x.grad as Float32Array;
        const bits = new Int32Array(g.buffer, g.byteOffset, g.length);
        const outBits = new Int32Array(out.data.buffer, out.data.byteOffset, g.length);
        // The bits of a positive number are a positive integer. Its negation, shifted, is a mask of ones.
        for (let i = 0; i < g.length; i++) bits[i] &= -outBits[i] >> 31;
        addRow(grad, 0, g);
      });
    return out;
  }

  add(a: Tensor, b: Tensor): Tensor {
    const out = this.#allocate(a.rows, a.columns, a.grad !== null || b.grad !== null);
    out.data.set(a.data);
    const n = b.data.length;
    for (let at = 0; at < out.data.length; at += n) addRow(out.data, at, b.data);
    if (out.grad)
      this.#record(out, (g) => {
        if (a.grad) addRow(a.grad, 0, g);
        if (b.grad) addRows(b.grad, g);
      });
    return out;
  }

  multiply(a: Tensor, b: Tensor): Tensor {
    const out = this.#allocate(a.rows, a.columns, a.grad !== null || b.grad !== null);
    const n = b.data.length;
    addProducts(out.data, a.data, b.data, n);
    if (out.grad)
      this.#record(out, (g) => {
        if (a.grad) addProducts(a.grad, g, b.data, n);
        const { grad } = b;
        const { data } = a;
        if (grad)
          for (let at = 0; at < g.length; at += n)
            for (let j = 0; j < n; j++) grad[j] += g[at + j] * data[at + j];
      });
    return out;
  }

  standardize(x: Tensor, mean: Tensor, scale: Tensor): Tensor {
    const out = this.#allocate(x.rows, x.columns, x.grad !== null);
    const n = x.columns;
    for (let at = 0; at < x.data.length; at += n)
      for (let j = 0; j < n; j++) {
        const value = (x.data[at + j] - mean.data[j]) * scale.data[j];
        out.data[at + j] = Math.min(maxStandardized, Math.max(-maxStandardized, value));
      }
    if (x.grad)
      this.#record(out, (g) => {
        const grad = x.grad as Float32Array;
        for (let at = 0; at < g.length; at += n)
          for (let j = 0; j < n; j++)
            if (Math.abs(out.data[at + j]) < maxStandardized) grad[at + j] += g[at + j] * scale.data[j];
      });
    return out;
  }

  gather(table: Tensor, indices: Tensor): Tensor {
    const width = table.columns;
    const out = this.#allocate(indices.rows, width, table.grad !== null);
    for (let row = 0; row < indices.rows; row++) {
      const from = indices.data[row] * width;
      for (let j = 0; j < width; j++) out.data[row * width + j] = table.data[from + j];
    }
    if (table.grad)
      this.#record(out, (g) => {
        const grad = table.grad as Float32Array;
        for (let row = 0; row < indices.rows; row++) {
          const to = indices.data[row] * width;
          for (let j = 0; j < width; j++) grad[to + j] += g[row * width + j];
        }
      });
    return out;
  }

  similarity(a: Tensor, b: Tensor): Tensor {
    const memory = this.#memory;
    const [n, h, width] = [a.rows, b.rows, a.columns];
    const out = this.#allocate(n, h, true);
    const scratch = this.#allocate(width, h, false);
    // The product a * transpose(b) is the backward pass of a matrix product with gradient a and weights b.
    memory.multiplyByTransposedAdd(a.data, b.data, out.data, n, h, width, scratch.data);
    this.#record(out, (g) => {
      if (a.grad) memory.multiplyAdd(g, b.data, a.grad, n, h, width);
      if (b.grad) memory.multiplyTransposedAdd(g, a.data, b.grad, n, h, width);
    });
    return out;
  }

  column(x: Tensor, column: number, h: number): Tensor {
    const out = this.#allocate(x.rows / h, h, x.grad !== null);
    for (let i = 0; i < x.rows; i++) out.data[i] = x.data[i * x.columns + column];
    if (x.grad)
      this.#record(out, (g) => {
        const grad = x.grad as Float32Array;
        for (let i = 0; i < g.length; i++) grad[i * x.columns + column] += g[i];
      });
    return out;
  }

  reshape(x: Tensor, columns: number): Tensor {
    return this.#memory.reshape(x, columns);
  }

  maskedSoftmax(logits: Tensor, mask: Tensor): Tensor {
    const out = this.#allocate(logits.rows, logits.columns, true);
    const h = logits.columns;
    for (let row = 0; row < logits.rows; row++) {
      const at = row * h;
      let maxLogit = Number.NEGATIVE_INFINITY;
      for (let j = 0; j < h; j++) if (mask.data[j] > 0) maxLogit = Math.max(maxLogit, logits.data[at + j]);
      let sum = 0;
      for (let j = 0; j < h; j++)
        if (mask.data[j] > 0) {
          out.data[at + j] = Math.exp(logits.data[at + j] - maxLogit);
          sum += out.data[at + j];
        }
      if (sum > 0) for (let j = 0; j < h; j++) out.data[at + j] /= sum;
    }
    if (logits.grad)
      this.#record(out, (g) => {
        const grad = logits.grad as Float32Array;
        for (let row = 0; row < logits.rows; row++) {
          const at = row * h;
          let dot = 0;
          for (let j = 0; j < h; j++) dot += g[at + j] * out.data[at + j];
          for (let j = 0; j < h; j++) grad[at + j] += out.data[at + j] * (g[at + j] - dot);
        }
      });
    return out;
  }

  pool(weights: Tensor, values: Tensor): Tensor {
    const h = weights.columns;
    const width = values.columns;
    const out = this.#allocate(weights.rows, width, true);
    const { data } = out;
    const { data: weight } = weights;
    const { data: value } = values;
    for (let row = 0; row < weights.rows; row++)
      for (let k = 0; k < h; k++) {
        const share = weight[row * h + k];
        const from = (row * h + k) * width;
        for (let j = 0; j < width; j++) data[row * width + j] += share * value[from + j];
      }
    this.#record(out, (g) => {
      const { data: weight, grad: weightGradient } = weights;
      const { data: value, grad: valueGradient } = values;
      for (let row = 0; row < weights.rows; row++)
        for (let k = 0; k < h; k++) {
          const from = (row * h + k) * width;
          if (weightGradient) {
            let dot = 0;
            for (let j = 0; j < width; j++) dot += g[row * width + j] * value[from + j];
            weightGradient[row * h + k] += dot;
          }
          if (valueGradient) {
            const share = weight[row * h + k];
            for (let j = 0; j < width; j++) valueGradient[from + j] += share * g[row * width + j];
          }
        }
    });
    return out;
  }

  concat(parts: Tensor[]): Tensor {
    const columns = parts.reduce((sum, part) => sum + part.columns, 0);
    const out = this.#allocate(parts[0].rows, columns, true);
    let offset = 0;
    for (const part of parts) {
      const start = offset;
      const width = part.columns;
      const { data } = part;
      for (let row = 0; row < part.rows; row++)
        for (let j = 0; j < width; j++) out.data[row * columns + start + j] = data[row * width + j];
      if (part.grad)
        this.#record(out, (g) => {
          const grad = part.grad as Float32Array;
          for (let row = 0; row < part.rows; row++)
            for (let j = 0; j < width; j++) grad[row * width + j] += g[row * columns + start + j];
        });
      offset += width;
    }
    return out;
  }
}

/** Adds a row to the numbers of `sum` from `at`. */
function addRow(sum: Float32Array, at: number, row: Float32Array): void {
  for (let j = 0; j < row.length; j++) sum[at + j] += row[j];
}

/** Adds the rows of x [n, columns] to sum [columns]. */
function addRows(sum: Float32Array, x: Float32Array): void {
  const columns = sum.length;
  for (let at = 0; at < x.length; at += columns) for (let j = 0; j < columns; j++) sum[j] += x[at + j];
}

/** Adds a [rows, n] times b to sum, elementwise; b has the shape of a, or is one row of `n` that multiplies each row. */
function addProducts(sum: Float32Array, a: Float32Array, b: Float32Array, n: number): void {
  for (let at = 0; at < a.length; at += n) for (let j = 0; j < n; j++) sum[at + j] += a[at + j] * b[j];
}
