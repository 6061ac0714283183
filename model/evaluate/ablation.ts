import type { FeatureBatch, FeatureShape, NetworkPart } from "../features/batch.ts";
import { featureFamilies, featureShape } from "../features/compute-features.ts";

/** A variant of the model without one part: a family of features, or a part of the network. */
export interface Ablation {
  name: string;
  /** The feature shape whose network lacks the part. */
  shape: FeatureShape;
  /** Returns the batch without the part. */
  removeFrom(batch: FeatureBatch): FeatureBatch;
}

/** Returns a copy of a row-by-row matrix with columns `from` to `to` (exclusive) set to zero. */
function zeroColumns(data: Float32Array, width: number, from: number, to: number): Float32Array {
  const copy = data.slice();
  for (let row = 0; row < copy.length; row += width) copy.fill(0, row + from, row + to);
  return copy;
}

/** Returns one ablation for each family of dense features. */
function featureAblations(): Ablation[] {
  let at = 0;
  return Object.entries(featureFamilies).map(([name, { names }]) => {
    const from = at;
    at += names.length;
    const to = at;
    return {
      name: `features: ${name}`,
      shape: featureShape,
      removeFrom: (batch) => ({
        ...batch,
        dense: zeroColumns(batch.dense, featureShape.dense.length, from, to),
      }),
    };
  });
}

const networkAblation = (label: string, part: NetworkPart): Ablation => ({
  name: `network: ${label}`,
  shape: { ...featureShape, without: [part] },
  removeFrom: (batch) => batch,
});

/** The full model, for comparison. */
export const noAblation: Ablation = { name: "nothing", shape: featureShape, removeFrom: (batch) => batch };

/** One ablation for each family of features and each part of the network. */
export const ablations: readonly Ablation[] = [
  ...featureAblations(),
  networkAblation("attention", "attention"),
  networkAblation("embeddings", "embeddings"),
];
