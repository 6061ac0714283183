/**
 * Matrix products. All three functions use one kernel that multiplies rows by rows: the kernel reads both matrices in
 * memory order and keeps eight sums in registers. It sums in 64 bits and stores 32 bits.
 */

/** Buffers for transposed matrices; each call overwrites the transposes of the previous call. */
const scratch: [Float32Array, Float32Array] = [new Float32Array(1 << 12), new Float32Array(1 << 12)];

/** Adds x [n, i] times w [i, o] to out [n, o]. */
export function multiplyAdd(
  x: Float32Array,
  w: Float32Array,
  out: Float32Array,
  n: number,
  i: number,
  o: number,
): void {
  rowsByRows(x, transposed(w, i, o, 0), out, n, o, i);
}

/** Adds the transpose of x [n, i] times g [n, o] to dw [i, o]. */
export function multiplyTransposedAdd(
  x: Float32Array,
  g: Float32Array,
  dw: Float32Array,
  n: number,
  i: number,
  o: number,
): void {
  rowsByRows(transposed(x, n, i, 0), transposed(g, n, o, 1), dw, i, o, n);
}

/** Adds g [n, o] times the transpose of w [i, o] to dx [n, i]. */
export function multiplyByTransposedAdd(
  g: Float32Array,
  w: Float32Array,
  dx: Float32Array,
  n: number,
  i: number,
  o: number,
): void {
  rowsByRows(g, w, dx, n, i, o);
}

/** Returns x [rows, columns] transposed, in one of the two scratch buffers; the result is valid until the next call. */
function transposed(x: Float32Array, rows: number, columns: number, index: 0 | 1): Float32Array {
  // A row or a column is its own transpose.
  if (rows === 1 || columns === 1) return x;
  if (scratch[index].length < rows * columns) scratch[index] = new Float32Array(2 * rows * columns);
  const out = scratch[index];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = x[row * columns + column];
  return out;
}

/** Adds a [n, d] times the transpose of b [m, d] to out [n, m], for two rows of a and four rows of b at a time. */
function rowsByRows(
  a: Float32Array,
  b: Float32Array,
  out: Float32Array,
  n: number,
  m: number,
  d: number,
): void {
  const twos = n - (n % 2);
  const fours = m - (m % 4);
  for (let row = 0; row < twos; row += 2) {
    const p = row * d;
    const q = p + d;
    for (let column = 0; column < fours; column += 4) {
      const r = column * d;
      const s = r + d;
      const t = s + d;
      const u = t + d;
      let pr = 0;
      let ps = 0;
      let pt = 0;
      let pu = 0;
      let qr = 0;
      let qs = 0;
      let qt = 0;
      let qu = 0;
      for (let k = 0; k < d; k++) {
        const first = a[p + k];
        const second = a[q + k];
        pr += first * b[r + k];
        ps += first * b[s + k];
        pt += first * b[t + k];
        pu += first * b[u + k];
        qr += second * b[r + k];
        qs += second * b[s + k];
        qt += second * b[t + k];
        qu += second * b[u + k];
      }
      const at = row * m + column;
      out[at] += pr;
      out[at + 1] += ps;
      out[at + 2] += pt;
      out[at + 3] += pu;
      out[at + m] += qr;
      out[at + m + 1] += qs;
      out[at + m + 2] += qt;
      out[at + m + 3] += qu;
    }
  }
  // The remainder: columns after the last block of four, and every column of an odd last row.
  for (let row = 0; row < n; row++)
    for (let column = row < twos ? fours : 0; column < m; column++) {
      let sum = 0;
      for (let k = 0; k < d; k++) sum += a[row * d + k] * b[column * d + k];
      out[row * m + column] += sum;
    }
}
