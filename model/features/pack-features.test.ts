import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomBatch } from "../onnx/random-batch.ts";
import { featureShape } from "./compute-features.ts";
import { packedRowBytes, packFeatures, selectPackedRows, unpackFeatures } from "./pack-features.ts";

const batch = randomBatch(featureShape, 12, 3);
const width = featureShape.dense.length;

describe("packFeatures", () => {
  it("packs the given rows in half precision", () => {
    const indices = [7, 0, 11];
    const read = unpackFeatures(featureShape, packFeatures(featureShape, batch, indices));
    expect(read?.count).toBe(3);
    expect(read?.event).toEqual(batch.event.map(Math.f16round));
    expect(read?.moment).toEqual(batch.moment);
    expect(read?.historyCategory).toEqual(batch.historyCategory);
    indices.forEach((index, row) => {
      const seen = batch.dense.subarray(index * width, (index + 1) * width);
      expect(read?.dense.subarray(row * width, (row + 1) * width)).toEqual(seen.map(Math.f16round));
      expect(read?.category[row]).toBe(batch.category[index]);
    });
  });

  it("gives the same bytes as selectPackedRows on a pack of all rows", () => {
    const all = Array.from({ length: batch.count }, (_, i) => i);
    const whole = packFeatures(featureShape, batch, all);
    fc.assert(
      fc.property(fc.shuffledSubarray(all), (rows) => {
        expect(selectPackedRows(whole, rows)).toEqual(packFeatures(featureShape, batch, rows));
      }),
    );
    expect(selectPackedRows(whole, [batch.count])).toBeNull();
  });

  it("adds packedRowBytes for each row", () => {
    const [one, two] = [[1], [1, 2]].map((rows) => packFeatures(featureShape, batch, rows));
    expect(packedRowBytes(one)).toBe(two.byteLength - one.byteLength);
  });

  it("gives a pack that unpackFeatures refuses if truncated, for another shape, or not finite", () => {
    const bytes = packFeatures(featureShape, batch, [0, 1]);
    expect(unpackFeatures(featureShape, bytes.subarray(0, -1))).toBeNull();
    expect(unpackFeatures(featureShape, new Uint8Array())).toBeNull();
    expect(unpackFeatures({ ...featureShape, dense: ["other"] }, bytes)).toBeNull();
    const poisoned = { ...batch, dense: batch.dense.slice().fill(Number.NaN, 0, 1) };
    expect(unpackFeatures(featureShape, packFeatures(featureShape, poisoned, [0]))).toBeNull();
  });
});
