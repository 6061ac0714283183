import { multiplyAdd, multiplyByTransposedAdd, multiplyTransposedAdd } from "./matmul.ts";
import type { Tensor } from "./tensor.ts";
import { type WasmModule, webAssembly } from "./wasm/web-assembly.ts";

/** The memory of one tape, which every pass reuses, and the products of matrices in it. */
export interface MatrixMemory {
  /** Returns a matrix of zeros, with a gradient of zeros if it needs one. It is valid until the next reset. */
  allocate(rows: number, columns: number, needsGradient: boolean): Tensor;
  /** Returns a matrix with the same values and gradient in rows of `columns` values. */
  reshape(x: Tensor, columns: number): Tensor;
  /** Frees all matrices. */
  reset(): void;
  /** Adds x [n, i] times w [i, o] to out [n, o]. */
  multiplyAdd(x: Float32Array, w: Float32Array, out: Float32Array, n: number, i: number, o: number): void;
  /** Adds the transpose of x [n, i] times g [n, o] to dw [i, o]. */
  multiplyTransposedAdd(
    x: Float32Array,
    g: Float32Array,
    dw: Float32Array,
    n: number,
    i: number,
    o: number,
  ): void;
  /** Adds g [n, o] times the transpose of w [i, o] to dx [n, i]. Overwrites `scratch`, which has the size of w. */
  multiplyByTransposedAdd(
    g: Float32Array,
    w: Float32Array,
    dx: Float32Array,
    n: number,
    i: number,
    o: number,
    scratch: Float32Array,
  ): void;
}

/** Numbers in the memory of a new tape: 4 MB. */
const initialSize = 1 << 20;

/** Memory with products in JavaScript, for where WebAssembly cannot be compiled. */
export class PlainMemory implements MatrixMemory {
  #buffer = new Float32Array(initialSize);
  #at = 0;
  readonly multiplyAdd = multiplyAdd;
  readonly multiplyTransposedAdd = multiplyTransposedAdd;
  readonly multiplyByTransposedAdd = multiplyByTransposedAdd;

  allocate(rows: number, columns: number, needsGradient: boolean): Tensor {
    const data = this.#take(rows * columns);
    return { rows, columns, data, grad: needsGradient ? this.#take(rows * columns) : null };
  }

  reshape({ data, grad }: Tensor, columns: number): Tensor {
    return { rows: data.length / columns, columns, data, grad };
  }

  reset(): void {
    this.#at = 0;
  }

  /** Returns an array of `size` zeros. */
  #take(size: number): Float32Array {
    if (this.#at + size > this.#buffer.length) {
      // Earlier arrays still reference the old buffer and stay valid until the reset.
      this.#buffer = new Float32Array(Math.max(2 * this.#buffer.length, size));
      this.#at = 0;
    }
    const part = this.#buffer.subarray(this.#at, this.#at + size);
    part.fill(0);
    this.#at += size;
    return part;
  }
}

/** Bytes of a number, and of a page of WebAssembly memory. */
const numberBytes = 4;
const pageBytes = 1 << 16;

/**
 * Memory of WebAssembly, with products by the kernel of `wasm/matrix-kernel.ts`. The operands of products must be in
 * it. When it grows, it gives its tensors new arrays: hold tensors, and not their arrays, while the pass continues.
 */
export class WasmMemory implements MatrixMemory {
  readonly #memory = new webAssembly.Memory({ initial: (initialSize * numberBytes) / pageBytes });
  readonly #kernel: (...addressesStepsAndSizes: number[]) => void;
  #numbers = new Float32Array(this.#memory.buffer);
  #at = 0;
  #tensors: Tensor[] = [];

  constructor(module: WasmModule) {
    const { exports } = new webAssembly.Instance(module, { env: { memory: this.#memory } });
    this.#kernel = exports.multiplyAdd as (...numbers: number[]) => void;
  }

  allocate(rows: number, columns: number, needsGradient: boolean): Tensor {
    const size = rows * columns;
    const all = needsGradient ? 2 * size : size;
    if (this.#at + all > this.#numbers.length) this.#grow(this.#at + all);
    const start = this.#at;
    this.#at += all;
    this.#numbers.fill(0, start, this.#at);
    const data = this.#numbers.subarray(start, start + size);
    return this.#keep({
      rows,
      columns,
      data,
      grad: needsGradient ? this.#numbers.subarray(start + size, this.#at) : null,
    });
  }

  reshape({ data, grad }: Tensor, columns: number): Tensor {
    return this.#keep({ rows: data.length / columns, columns, data, grad });
  }

  reset(): void {
    this.#at = 0;
    this.#tensors = [];
  }

  #keep(tensor: Tensor): Tensor {
    this.#tensors.push(tensor);
    return tensor;
  }

  /** Grows the memory to at least `size` numbers, and to twice its size. */
  #grow(size: number): void {
    // Growing detaches the old arrays, which then no longer know their place.
    const places = this.#tensors.map(({ data, grad }) => [data.byteOffset, grad?.byteOffset ?? 0]);
    const lengths = this.#tensors.map(({ data }) => data.length);
    const missing = Math.max(this.#numbers.length, size - this.#numbers.length);
    this.#memory.grow(Math.ceil((missing * numberBytes) / pageBytes));
    const { buffer } = this.#memory;
    this.#numbers = new Float32Array(buffer);
    for (const [i, tensor] of this.#tensors.entries()) {
      tensor.data = new Float32Array(buffer, places[i][0], lengths[i]);
      if (tensor.grad) tensor.grad = new Float32Array(buffer, places[i][1], lengths[i]);
    }
  }

  multiplyAdd(x: Float32Array, w: Float32Array, out: Float32Array, n: number, i: number, o: number): void {
    this.#kernel(x.byteOffset, i * numberBytes, numberBytes, w.byteOffset, out.byteOffset, n, o, i);
  }

  multiplyTransposedAdd(
    x: Float32Array,
    g: Float32Array,
    dw: Float32Array,
    n: number,
    i: number,
    o: number,
  ): void {
    // If g is one column, g x has the same numbers as the transpose of x times g, and fills whole vectors.
    if (o === 1) this.#kernel(g.byteOffset, 0, numberBytes, x.byteOffset, dw.byteOffset, 1, i, n);
    else this.#kernel(x.byteOffset, numberBytes, i * numberBytes, g.byteOffset, dw.byteOffset, i, o, n);
  }

  multiplyByTransposedAdd(
    g: Float32Array,
    w: Float32Array,
    dx: Float32Array,
    n: number,
    i: number,
    o: number,
    scratch: Float32Array,
  ): void {
    for (let row = 0; row < i; row++)
      for (let column = 0; column < o; column++) scratch[column * i + row] = w[row * o + column];
    this.multiplyAdd(g, scratch, dx, n, o, i);
  }
}
