import { type FeatureBatch, type FeatureShape, momentLength } from "./batch.ts";

/**
 * A pack contains rows of a feature batch as bytes. The training log stores packs. Little-endian, in this order:
 *
 * 1. header, seven uint16: format version (2), rows, then entries: per row of `dense` and `pair` (history x pair), per
 *    list of `event` (history x event), `historyCategory` (history) and `moment`;
 * 2. float16: `event` once, `dense` row by row, `pair` row by row;
 * 3. uint16: `historyCategory` and `moment` once, `category` row by row.
 *
 * Half precision (IEEE 754 binary16, 11 bits) is finer than the features measure, and halves the storage of a
 * recommendation. Evaluation reads the same bytes for each model, so that it favors none.
 */
const formatVersion = 2;
const headerFields = 7;
const headerBytes = 2 * headerFields;

/** Number of rows of a pack, and entries of each part: per row for `dense` and `pair`, per list for the others. */
interface PackLayout {
  rows: number;
  dense: number;
  pair: number;
  event: number;
  history: number;
  moment: number;
}

const halfCount = ({ rows, dense, pair, event }: PackLayout): number => event + rows * (dense + pair);
const packBytes = (layout: PackLayout): number =>
  headerBytes + 2 * (halfCount(layout) + layout.history + layout.moment + layout.rows);

const layoutFor = (shape: FeatureShape, rows: number): PackLayout => ({
  rows,
  dense: shape.dense.length,
  pair: shape.history * shape.pair.length,
  event: shape.history * shape.event.length,
  history: shape.history,
  moment: momentLength,
});

/** Returns the bytes that each row takes in a pack; 0 for bytes that are not a pack. */
export const packedRowBytes = (bytes: Uint8Array): number => {
  const layout = readLayout(bytes);
  return layout === null ? 0 : 2 * (layout.dense + layout.pair + 1);
};

/** Allocates a pack, writes its header, and returns views of its float16 and uint16 parts. */
function allocatePack(layout: PackLayout): {
  bytes: Uint8Array<ArrayBuffer>;
  float16s: Float16Array;
  uint16s: Uint16Array;
} {
  const bytes = new Uint8Array(packBytes(layout));
  const { rows, dense, pair, event, history, moment } = layout;
  new Uint16Array(bytes.buffer, 0, headerFields).set([
    formatVersion,
    rows,
    dense,
    pair,
    event,
    history,
    moment,
  ]);
  return { bytes, ...packViews(bytes.buffer, layout) };
}

const packViews = (
  buffer: ArrayBuffer,
  layout: PackLayout,
): { float16s: Float16Array; uint16s: Uint16Array } => ({
  float16s: new Float16Array(buffer, headerBytes, halfCount(layout)),
  uint16s: new Uint16Array(buffer, headerBytes + 2 * halfCount(layout)),
});

/** Returns the layout from a pack's header; null for bytes that are not a pack. */
function readLayout(bytes: Uint8Array): PackLayout | null {
  if (bytes.byteLength < headerBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [version, rows, dense, pair, event, history, moment] = Array.from({ length: headerFields }, (_, i) =>
    view.getUint16(2 * i, true),
  );
  const layout = { rows, dense, pair, event, history, moment };
  return version === formatVersion && bytes.byteLength === packBytes(layout) ? layout : null;
}

/** Returns a pack of rows of a batch, in the order of `indices`. */
export function packFeatures(
  shape: FeatureShape,
  batch: FeatureBatch,
  indices: readonly number[],
): Uint8Array<ArrayBuffer> {
  const layout = layoutFor(shape, indices.length);
  const { bytes, float16s, uint16s } = allocatePack(layout);
  const { dense, pair, event, history, moment } = layout;
  float16s.set(batch.event);
  uint16s.set(batch.historyCategory);
  uint16s.set(batch.moment, history);
  const pairs = event + indices.length * dense;
  indices.forEach((index, row) => {
    float16s.set(batch.dense.subarray(index * dense, (index + 1) * dense), event + row * dense);
    float16s.set(batch.pair.subarray(index * pair, (index + 1) * pair), pairs + row * pair);
    uint16s[history + moment + row] = batch.category[index];
  });
  return bytes;
}

/**
 * Returns a pack of some rows of another pack, in the order of `rows`; null if `bytes` is not a pack or lacks a row.
 */
export function selectPackedRows(bytes: Uint8Array, rows: readonly number[]): Uint8Array<ArrayBuffer> | null {
  const from = readLayout(bytes);
  if (from === null || rows.some((row) => row >= from.rows)) return null;
  const source = packViews(bytes.slice().buffer, from);
  const to = allocatePack({ ...from, rows: rows.length });
  const { dense, pair, event, history, moment } = from;
  to.float16s.set(source.float16s.subarray(0, event));
  to.uint16s.set(source.uint16s.subarray(0, history + moment));
  rows.forEach((row, i) => {
    const denseAt = event + row * dense;
    const pairAt = event + from.rows * dense + row * pair;
    to.float16s.set(source.float16s.subarray(denseAt, denseAt + dense), event + i * dense);
    to.float16s.set(source.float16s.subarray(pairAt, pairAt + pair), event + rows.length * dense + i * pair);
    to.uint16s[history + moment + i] = source.uint16s[history + moment + row];
  });
  return to.bytes;
}

/** Returns the batch in a pack; null if the pack is damaged, has another shape, or contains a non-finite number. */
export function unpackFeatures(shape: FeatureShape, bytes: Uint8Array): FeatureBatch | null {
  const layout = readLayout(bytes);
  if (layout === null) return null;
  const { rows, dense, pair, event, history, moment } = layout;
  const expected = layoutFor(shape, rows);
  if (
    dense !== expected.dense ||
    pair !== expected.pair ||
    event !== expected.event ||
    history !== expected.history ||
    moment !== expected.moment
  )
    return null;
  const { float16s, uint16s } = packViews(bytes.slice().buffer, layout);
  if (!float16s.every(Number.isFinite)) return null;
  const pairs = event + rows * dense;
  const batch: FeatureBatch = {
    count: rows,
    event: Float32Array.from(float16s.subarray(0, event)),
    dense: Float32Array.from(float16s.subarray(event, pairs)),
    pair: Float32Array.from(float16s.subarray(pairs)),
    historyCategory: Int32Array.from(uint16s.subarray(0, history)),
    moment: Int32Array.from(uint16s.subarray(history, history + moment)),
    category: Int32Array.from(uint16s.subarray(history + moment)),
  };
  const inRange = [...batch.historyCategory, ...batch.category].every((each) => each < shape.categories);
  return inRange ? batch : null;
}
