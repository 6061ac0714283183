import { type FeatureBatch, type FeatureShape, momentLength } from "./batch.ts";

/**
 * Rows of a batch as bytes, as the training log keeps them. Little-endian, in this order:
 *
 * 1. header, seven uint16: form (1), rows, then of each row `dense` and `pair` (history x pair), then of the list
 *    `event` (history x event), `historyCategory` (history), `moment`;
 * 2. float16: `event` once, `dense` row by row, `pair` row by row;
 * 3. uint8: `historyCategory` and `moment` once, `category` row by row.
 *
 * Half precision (IEEE 754 binary16, 11 bits) is finer than anything the features measure and halves what a
 * recommendation costs to keep; evaluation reads the same bytes for every model, so none is favoured.
 */
const formatVersion = 1;
const headerFields = 7;
const headerBytes = 2 * headerFields;

/** Sizes of a pack, in entries. */
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
  headerBytes + 2 * halfCount(layout) + layout.history + layout.moment + layout.rows;

const layoutFor = (shape: FeatureShape, rows: number): PackLayout => ({
  rows,
  dense: shape.dense.length,
  pair: shape.history * shape.pair.length,
  event: shape.history * shape.event.length,
  history: shape.history,
  moment: momentLength,
});

/** Bytes that a further row takes in a pack. */
export const packedRowBytes = (bytes: Uint8Array): number => {
  const layout = readLayout(bytes);
  return layout === null ? 0 : 2 * (layout.dense + layout.pair) + 1;
};

/** Opens a pack to be written: its header, and views of its two parts. */
function allocatePack(layout: PackLayout): {
  bytes: Uint8Array<ArrayBuffer>;
  floats: Float16Array;
  small: Uint8Array;
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

const packViews = (buffer: ArrayBuffer, layout: PackLayout): { floats: Float16Array; small: Uint8Array } => ({
  floats: new Float16Array(buffer, headerBytes, halfCount(layout)),
  small: new Uint8Array(buffer, headerBytes + 2 * halfCount(layout)),
});

/** The layout that a pack's header tells; null for bytes that are none. */
function readLayout(bytes: Uint8Array): PackLayout | null {
  if (bytes.byteLength < headerBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [told, rows, dense, pair, event, history, moment] = Array.from({ length: headerFields }, (_, i) =>
    view.getUint16(2 * i, true),
  );
  const layout = { rows, dense, pair, event, history, moment };
  return told === formatVersion && bytes.byteLength === packBytes(layout) ? layout : null;
}

/** Packs rows of a batch, in the order of `indices`. */
export function packFeatures(
  shape: FeatureShape,
  batch: FeatureBatch,
  indices: readonly number[],
): Uint8Array<ArrayBuffer> {
  const layout = layoutFor(shape, indices.length);
  const { bytes, floats, small } = allocatePack(layout);
  const { dense, pair, event, history, moment } = layout;
  floats.set(batch.event);
  small.set(batch.historyCategory);
  small.set(batch.moment, history);
  const pairs = event + indices.length * dense;
  indices.forEach((index, row) => {
    floats.set(batch.dense.subarray(index * dense, (index + 1) * dense), event + row * dense);
    floats.set(batch.pair.subarray(index * pair, (index + 1) * pair), pairs + row * pair);
    small[history + moment + row] = batch.category[index];
  });
  return bytes;
}

/** The pack of some rows of another, in the order of `rows`; null for bytes that are no pack or lack a row. */
export function selectPackedRows(bytes: Uint8Array, rows: readonly number[]): Uint8Array<ArrayBuffer> | null {
  const from = readLayout(bytes);
  if (from === null || rows.some((row) => row >= from.rows)) return null;
  const source = packViews(bytes.slice().buffer, from);
  const to = allocatePack({ ...from, rows: rows.length });
  const { dense, pair, event, history, moment } = from;
  to.floats.set(source.floats.subarray(0, event));
  to.small.set(source.small.subarray(0, history + moment));
  rows.forEach((row, i) => {
    const denseAt = event + row * dense;
    const pairAt = event + from.rows * dense + row * pair;
    to.floats.set(source.floats.subarray(denseAt, denseAt + dense), event + i * dense);
    to.floats.set(source.floats.subarray(pairAt, pairAt + pair), event + rows.length * dense + i * pair);
    to.small[history + moment + i] = source.small[history + moment + row];
  });
  return to.bytes;
}

/** The batch in a pack; null where it was made for another shape, is damaged, or holds a number that is not finite. */
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
  const { floats, small } = packViews(bytes.slice().buffer, layout);
  if (!floats.every(Number.isFinite)) return null;
  const pairs = event + rows * dense;
  const batch: FeatureBatch = {
    count: rows,
    event: Float32Array.from(floats.subarray(0, event)),
    dense: Float32Array.from(floats.subarray(event, pairs)),
    pair: Float32Array.from(floats.subarray(pairs)),
    historyCategory: Int32Array.from(small.subarray(0, history)),
    moment: Int32Array.from(small.subarray(history, history + moment)),
    category: Int32Array.from(small.subarray(history + moment)),
  };
  const known = [...batch.historyCategory, ...batch.category].every((each) => each < shape.categories);
  return known ? batch : null;
}
