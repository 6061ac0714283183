import { describe, expect, it } from "vitest";
import { Random } from "../../train/random.ts";
import { invertPositiveDefinite } from "./invert-positive-definite.ts";

describe("invertPositiveDefinite", () => {
  it("returns what gives the unit matrix with the given one", () => {
    for (const n of [1, 2, 7, 30]) {
      const random = new Random(n);
      const factor = Float64Array.from({ length: n * n }, () => random.normal());
      const at = (matrix: Float64Array, i: number, j: number): number => matrix[i * n + j];
      const product = (a: Float64Array, b: Float64Array, transposed: boolean): Float64Array =>
        Float64Array.from({ length: n * n }, (_, index) => {
          const [i, j] = [Math.floor(index / n), index % n];
          let sum = 0;
          for (let k = 0; k < n; k++) sum += at(a, i, k) * (transposed ? at(b, j, k) : at(b, k, j));
          return sum;
        });
      const matrix = product(factor, factor, true).map((value, i) => value + (i % (n + 1) === 0 ? 1 : 0));
      product(matrix, invertPositiveDefinite(matrix, n), false).forEach((value, i) => {
        expect(value).toBeCloseTo(i % (n + 1) === 0 ? 1 : 0, 8);
      });
    }
  });

  it("refuses a matrix that is not positive definite", () => {
    expect(() => invertPositiveDefinite(Float64Array.of(1, 2, 2, 1), 2)).toThrow("row 1 has the pivot -3");
  });
});
