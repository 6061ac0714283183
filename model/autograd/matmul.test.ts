import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../train/random.ts";
import { multiplyAdd, multiplyByTransposedAdd, multiplyTransposedAdd } from "./matmul.ts";

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

describe("matrix products", () => {
  it("equal the definition for every size", () => {
    fc.assert(
      fc.property(size, size, size, fc.nat(), (n, i, o, seed) => {
        const random = new Random(seed);
        const matrix = (length: number) => Float32Array.from({ length }, () => random.normal());
        const x = matrix(n * i);
        const w = matrix(i * o);
        const g = matrix(n * o);

        const out = g.slice();
        multiplyAdd(x, w, out, n, i, o);
        expectProduct(
          out,
          g,
          [n, o, i],
          (row, k) => x[row * i + k],
          (k, column) => w[k * o + column],
        );

        const dw = w.slice();
        multiplyTransposedAdd(x, g, dw, n, i, o);
        expectProduct(
          dw,
          w,
          [i, o, n],
          (row, k) => x[k * i + row],
          (k, column) => g[k * o + column],
        );

        const dx = x.slice();
        multiplyByTransposedAdd(g, w, dx, n, i, o);
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
