/** Solves `matrix` x = `right` for a symmetric positive definite matrix, by the decomposition of Cholesky. */
export function solvePositive(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const n = right.length;
  const lower = matrix.map((row) => row.slice());
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = lower[i][j];
      for (let k = 0; k < j; k++) sum -= lower[i][k] * lower[j][k];
      if (i === j && !(sum > 0)) throw new Error("the matrix is not positive definite");
      lower[i][j] = i === j ? Math.sqrt(sum) : sum / lower[j][j];
    }
  const solved = right.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) solved[i] -= lower[i][k] * solved[k];
    solved[i] /= lower[i][i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) solved[i] -= lower[k][i] * solved[k];
    solved[i] /= lower[i][i];
  }
  return solved;
}
