/** out [n, o] += x [n, i] w [i, o]. Zeros of x are skipped: absent features and silent units are most of them. */
export function multiplyAdd(
  x: Float32Array,
  w: Float32Array,
  out: Float32Array,
  n: number,
  i: number,
  o: number,
): void {
  for (let row = 0; row < n; row++) {
    const at = row * o;
    for (let k = 0; k < i; k++) {
      const value = x[row * i + k];
      if (value === 0) continue;
      const from = k * o;
      for (let j = 0; j < o; j++) out[at + j] += value * w[from + j];
    }
  }
}

/** dw [i, o] += transpose of x [n, i] times g [n, o]. */
export function multiplyTransposedAdd(
  x: Float32Array,
  g: Float32Array,
  dw: Float32Array,
  n: number,
  i: number,
  o: number,
): void {
  for (let row = 0; row < n; row++) {
    const from = row * o;
    for (let k = 0; k < i; k++) {
      const value = x[row * i + k];
      if (value === 0) continue;
      const at = k * o;
      for (let j = 0; j < o; j++) dw[at + j] += value * g[from + j];
    }
  }
}

/** dx [n, i] += g [n, o] times the transpose of w [i, o]. */
export function multiplyByTransposedAdd(
  g: Float32Array,
  w: Float32Array,
  dx: Float32Array,
  n: number,
  i: number,
  o: number,
): void {
  for (let row = 0; row < n; row++) {
    const from = row * o;
    for (let k = 0; k < i; k++) {
      const at = k * o;
      let sum = 0;
      for (let j = 0; j < o; j++) sum += g[from + j] * w[at + j];
      dx[row * i + k] += sum;
    }
  }
}
