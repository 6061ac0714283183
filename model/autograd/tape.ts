import { maxStandardized, type Ops } from "../network/ops.ts";
import { multiplyAdd, multiplyByTransposedAdd, multiplyTransposedAdd } from "./matmul.ts";
import { Arena, type Tensor } from "./tensor.ts";

/**
 * Reverse-mode automatic differentiation. Every operation computes its value and records a backward step; `backward`
 * runs these steps in reverse order. The tape uses typed arrays and no dynamic code, so it runs in Node and in a
 * Worker.
 */
export class Tape implements Ops<Tensor> {
  readonly #arena = new Arena();
  readonly #parameters: ReadonlyMap<string, Tensor>;
  #backwardSteps: (() => void)[] = [];

  /** The gradients of `parameters` accumulate over many passes; the caller clears them. */
  constructor(parameters: ReadonlyMap<string, Tensor>) {
    this.#parameters = parameters;
  }

  /** Discards the last pass and its tensors. */
  reset(): void {
    this.#backwardSteps = [];
    this.#arena.reset();
  }

  /** Propagates the gradients that the caller wrote into the outputs, and adds them to the parameters' gradients. */
  backward(): void {
    for (let i = this.#backwardSteps.length - 1; i >= 0; i--) this.#backwardSteps[i]();
  }

  /** Returns a tensor without gradient that shares the caller's data. */
  input(rows: number, columns: number, data: Float32Array): Tensor {
    return { rows, columns, data, grad: null };
  }

  /** Returns a column of indices, without gradient. */
  indices(values: Int32Array): Tensor {
    return { rows: values.length, columns: 1, data: Float32Array.from(values), grad: null };
  }

  #allocate(rows: number, columns: number, needsGradient: boolean): Tensor {
    const data = this.#arena.take(rows * columns);
    return { rows, columns, data, grad: needsGradient ? this.#arena.take(rows * columns) : null };
  }

  parameter(name: string): Tensor {
    const tensor = this.#parameters.get(name);
    if (!tensor) throw new Error(`the tape has no parameter named "${name}"`);
    return tensor;
  }

  linear(x: Tensor, w: Tensor, b?: Tensor): Tensor {
    const out = this.#allocate(x.rows, w.columns, true);
    if (b) for (let row = 0; row < x.rows; row++) out.data.set(b.data, row * w.columns);
    multiplyAdd(x.data, w.data, out.data, x.rows, x.columns, w.columns);
    this.#backwardSteps.push(() => {
      const g = out.grad as Float32Array;
      if (w.grad) multiplyTransposedAdd(x.data, g, w.grad, x.rows, x.columns, w.columns);
      if (x.grad) multiplyByTransposedAdd(g, w.data, x.grad, x.rows, x.columns, w.columns);
      if (b?.grad) sumRows(g, b.grad, w.columns);
    });
    return out;
  }

  relu(x: Tensor): Tensor {
    const out = this.#allocate(x.rows, x.columns, x.grad !== null);
    for (let i = 0; i < x.data.length; i++) if (x.data[i] > 0) out.data[i] = x.data[i];
    const { grad } = x;
    if (grad)
      this.#backwardSteps.push(() => {
        const g = out.grad as Float32Array;
        for (let i = 0; i < g.length; i++) if (out.data[i] > 0) grad[i] += g[i];
      });
    return out;
  }

  /**
   * Records an elementwise backward step with the given local slope. If `x` is one row that was broadcast over all
   * rows, its gradient is the sum over the rows.
   */
  #recordElementwise(x: Tensor, out: Tensor, slope: (i: number) => number): void {
    const { grad } = x;
    if (!grad) return;
    this.#backwardSteps.push(() => {
      const g = out.grad as Float32Array;
      const n = grad.length;
      for (let i = 0; i < g.length; i++) grad[i % n] += g[i] * slope(i);
    });
  }

  add(a: Tensor, b: Tensor): Tensor {
    const out = this.#allocate(a.rows, a.columns, a.grad !== null || b.grad !== null);
    const n = b.data.length;
    for (let i = 0; i < out.data.length; i++) out.data[i] = a.data[i] + b.data[i % n];
    this.#recordElementwise(a, out, () => 1);
    this.#recordElementwise(b, out, () => 1);
    return out;
  }

  multiply(a: Tensor, b: Tensor): Tensor {
    const out = this.#allocate(a.rows, a.columns, a.grad !== null || b.grad !== null);
    const n = b.data.length;
    for (let i = 0; i < out.data.length; i++) out.data[i] = a.data[i] * b.data[i % n];
    this.#recordElementwise(a, out, (i) => b.data[i % n]);
    this.#recordElementwise(b, out, (i) => a.data[i]);
    return out;
  }

  standardize(x: Tensor, mean: Tensor, scale: Tensor): Tensor {
    const out = this.#allocate(x.rows, x.columns, x.grad !== null);
    const n = x.columns;
    for (let i = 0; i < x.data.length; i++) {
      const value = (x.data[i] - mean.data[i % n]) * scale.data[i % n];
      out.data[i] = Math.min(maxStandardized, Math.max(-maxStandardized, value));
    }
    this.#recordElementwise(x, out, (i) => (Math.abs(out.data[i]) < maxStandardized ? scale.data[i % n] : 0));
    return out;
  }

  gather(table: Tensor, indices: Tensor): Tensor {
    const width = table.columns;
    const out = this.#allocate(indices.rows, width, table.grad !== null);
    for (let row = 0; row < indices.rows; row++) {
      const from = indices.data[row] * width;
      for (let j = 0; j < width; j++) out.data[row * width + j] = table.data[from + j];
    }
    const { grad } = table;
    if (grad)
      this.#backwardSteps.push(() => {
        const g = out.grad as Float32Array;
        for (let i = 0; i < g.length; i++) {
          const row = Math.floor(i / width);
          grad[indices.data[row] * width + (i - row * width)] += g[i];
        }
      });
    return out;
  }

  similarity(a: Tensor, b: Tensor): Tensor {
    const out = this.#allocate(a.rows, b.rows, true);
    // The product a * transpose(b) is the backward pass of a matrix product with gradient a and weights b.
    multiplyByTransposedAdd(a.data, b.data, out.data, a.rows, b.rows, a.columns);
    this.#backwardSteps.push(() => {
      const g = out.grad as Float32Array;
      if (a.grad) multiplyAdd(g, b.data, a.grad, a.rows, b.rows, a.columns);
      if (b.grad) multiplyTransposedAdd(g, a.data, b.grad, a.rows, b.rows, a.columns);
    });
    return out;
  }

  column(x: Tensor, column: number, h: number): Tensor {
    const out = this.#allocate(x.rows / h, h, x.grad !== null);
    for (let i = 0; i < x.rows; i++) out.data[i] = x.data[i * x.columns + column];
    const { grad } = x;
    if (grad)
      this.#backwardSteps.push(() => {
        const g = out.grad as Float32Array;
        for (let i = 0; i < g.length; i++) grad[i * x.columns + column] += g[i];
      });
    return out;
  }

  reshape(x: Tensor, columns: number): Tensor {
    return { rows: x.data.length / columns, columns, data: x.data, grad: x.grad };
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
    const { grad } = logits;
    if (grad)
      this.#backwardSteps.push(() => {
        const g = out.grad as Float32Array;
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
    for (let row = 0; row < weights.rows; row++)
      for (let k = 0; k < h; k++) {
        const weight = weights.data[row * h + k];
        const from = (row * h + k) * width;
        for (let j = 0; j < width; j++) out.data[row * width + j] += weight * values.data[from + j];
      }
    this.#backwardSteps.push(() => {
      const g = out.grad as Float32Array;
      for (let row = 0; row < weights.rows; row++)
        for (let k = 0; k < h; k++) {
          const weight = weights.data[row * h + k];
          const from = (row * h + k) * width;
          let dot = 0;
          for (let j = 0; j < width; j++) {
            const slope = g[row * width + j];
            dot += slope * values.data[from + j];
            if (values.grad) values.grad[from + j] += weight * slope;
          }
          if (weights.grad) weights.grad[row * h + k] += dot;
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
      for (let row = 0; row < part.rows; row++)
        for (let j = 0; j < part.columns; j++)
          out.data[row * columns + start + j] = part.data[row * part.columns + j];
      const { grad } = part;
      if (grad)
        this.#backwardSteps.push(() => {
          const g = out.grad as Float32Array;
          for (let row = 0; row < part.rows; row++)
            for (let j = 0; j < part.columns; j++)
              grad[row * part.columns + j] += g[row * columns + start + j];
        });
      offset += part.columns;
    }
    return out;
  }
}

/** Adds the rows of x [n, columns] to sum [columns]. */
function sumRows(x: Float32Array, sum: Float32Array, columns: number): void {
  for (let at = 0; at < x.length; at += columns) for (let j = 0; j < columns; j++) sum[j] += x[at + j];
}
