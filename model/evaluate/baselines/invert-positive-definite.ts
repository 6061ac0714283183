/**
 * Returns the inverse of a symmetric positive definite matrix of n rows, row-major, by its Cholesky factor L: the inverse is
 * the product of L^-1, transposed, and L^-1 (Golub and Van Loan, Matrix Computations, 4th edition, 4.2). Takes about n^3
 * multiplications. Throws an error if the matrix is not positive definite.
 */
export function invertPositiveDefinite(matrix: Float64Array, n: number): Float64Array {
  const factor = choleskyFactor(matrix, n);
  // Row i holds column i of L^-1, so that all inner loops read neighboring numbers.
  const columns = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    columns[i * n + i] = 1 / factor[i * n + i];
    for (let k = i + 1; k < n; k++) {
      const sum = dot(factor, k * n + i, columns, i * n + i, k - i);
      columns[i * n + k] = -sum / factor[k * n + k];
    }
  }
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const value = dot(columns, i * n + i, columns, j * n + i, n - i);
      inverse[i * n + j] = value;
      inverse[j * n + i] = value;
    }
  return inverse;
}

/** Returns the lower triangle L with L L^T = matrix. */
function choleskyFactor(matrix: Float64Array, n: number): Float64Array {
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const rest = matrix[i * n + j] - dot(factor, i * n, factor, j * n, j);
      if (i !== j) factor[i * n + j] = rest / factor[j * n + j];
      else if (rest > 0) factor[i * n + i] = Math.sqrt(rest);
      else throw new Error(`The matrix is not positive definite: row ${i} has the pivot ${rest}.`);
    }
  return factor;
}

function dot(a: Float64Array, startA: number, b: Float64Array, startB: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += a[startA + k] * b[startB + k];
  return sum;
}
