import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../train/random.ts";
import { type MatrixMemory, PlainMemory, WasmMemory } from "./matrix-memory.ts";
import { matrixKernel } from "./wasm/matrix-kernel.ts";
import { webAssembly } from "./wasm/web-assembly.ts";

const size = fc.integer({ min: 1, max: 19 });

/** Expects `out` to be `before` plus the sum over k of left(row, k) * right(k, column). */
function expectProduct(
  out: Float32Array,
  before: Float32Array,
  [rows, columns, depth]: [number, number, number],
  left: (row: number, k: number) => number,
  right: (k: number, column: number) => number,
): void {
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let sum = before[row * columns + column];
      for (let k = 0; k < depth; k++) sum += left(row, k) * right(k, column);
      expect(out[row * columns + column]).toBeCloseTo(sum, 4);
    }
}

const memories: [string, MatrixMemory][] = [
  ["JavaScript", new PlainMemory()],
  ["WebAssembly", new WasmMemory(new webAssembly.Module(matrixKernel()))],
];

describe.each(memories)("matrix products in %s", (_name, memory) => {
  it("equal the definition for every size", () => {
    fc.assert(
      fc.property(size, size, size, fc.nat(), (n, i, o, seed) => {
        const random = new Random(seed);
        memory.reset();
        const matrix = (length: number, values = () => random.normal()): Float32Array => {
          const tensor = memory.allocate(1, length, false);
          for (let at = 0; at < length; at++) tensor.data[at] = values();
          return tensor.data;
        };
        const copyOf = (array: Float32Array): Float32Array => {
          let at = 0;
          return matrix(array.length, () => array[at++]);
        };
        const x = matrix(n * i);
        const w = matrix(i * o);
        const g = matrix(n * o);

        const out = copyOf(g);
        memory.multiplyAdd(x, w, out, n, i, o);
        expectProduct(
          out,
          g,
          [n, o, i],
          (row, k) => x[row * i + k],
          (k, column) => w[k * o + column],
        );

        const dw = copyOf(w);
        memory.multiplyTransposedAdd(x, g, dw, n, i, o);
        expectProduct(
          dw,
          w,
          [i, o, n],
          (row, k) => x[k * i + row],
          (k, column) => g[k * o + column],
        );

        const dx = copyOf(x);
        memory.multiplyByTransposedAdd(g, w, dx, n, i, o, copyOf(w));
        expectProduct(
          dx,
          x,
          [n, i, o],
          (row, k) => g[row * o + k],
          (k, column) => w[column * o + k],
        );
      }),
    );
  });
});
