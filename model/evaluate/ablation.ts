import type { FeatureBatch } from "../features/batch.ts";
import { families, featureShape } from "../features/compute.ts";
import type { Ranker } from "../pipeline/ports.ts";

/** A part of what the model sees or is, and how a batch looks without it. */
export interface Part {
  name: string;
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
      without: (batch) => ({
        ...batch,
        dense: withoutColumns(batch.dense, featureShape.dense.length, from, to),
      }),
    };
  });
}

/** What can be left out: each family of features, attention over recent events, embeddings of categories. */
export const parts: readonly Part[] = [
  ...familyParts(),
  {
    name: "network: attention",
    // Without a present event attention answers zeros.
    without: (batch) => ({ ...batch, event: new Float32Array(batch.event.length) }),
  },
  {
    name: "network: category embedding",
    without: (batch) => ({
      ...batch,
      category: new Int32Array(batch.category.length),
      historyCategory: new Int32Array(batch.historyCategory.length),
      moment: new Int32Array(batch.moment.length),
    }),
  },
];

/** A ranker that never sees a part. */
export const rankerWithout = (part: Part, ranker: Ranker): Ranker => ({
  ...ranker,
  version: `without ${part.name}`,
  score: (batch) => ranker.score(part.without(batch)),
});
