import type { FeatureBatch, FeatureShape, NetworkPart } from "../features/batch.ts";
import { families, featureShape } from "../features/compute.ts";

/** A part of what the model sees or is. */
export interface Part {
  name: string;
  /** How the network is built without it. */
  shape: FeatureShape;
  /** How a batch looks without it. */
  without(batch: FeatureBatch): FeatureBatch;
}

/** Zeroes columns of a matrix, row by row. */
function withoutColumns(data: Float32Array, width: number, from: number, to: number): Float32Array {
  const left = data.slice();
  for (let row = 0; row < left.length; row += width) left.fill(0, row + from, row + to);
  return left;
}

/** Each family of dense features, by itself. */
function familyParts(): Part[] {
  let at = 0;
  return Object.entries(families).map(([name, { names }]) => {
    const from = at;
    at += names.length;
    const to = at;
    return {
      name: `features: ${name}`,
      shape: featureShape,
      without: (batch) => ({
        ...batch,
        dense: withoutColumns(batch.dense, featureShape.dense.length, from, to),
      }),
    };
  });
}

const networkPart = (what: string, part: NetworkPart): Part => ({
  name: `network: ${what}`,
  shape: { ...featureShape, without: [part] },
  without: (batch) => batch,
});

/** Everything: nothing is left out. */
export const whole: Part = { name: "nothing", shape: featureShape, without: (batch) => batch };

/** What can be left out: each family of features, and each part of the network. */
export const parts: readonly Part[] = [
  ...familyParts(),
  networkPart("attention", "attention"),
  networkPart("embeddings", "embeddings"),
  networkPart("deep part", "deep"),
  networkPart("wide part", "wide"),
];
