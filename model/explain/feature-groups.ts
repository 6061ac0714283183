import { type FeatureBatch, type FeatureShape, momentLength } from "../features/batch.ts";
import { featureFamilies, featureShape } from "../features/compute-features.ts";
import type { ReasonSubject } from "../pipeline/reasons.ts";

/** A part of a candidate's features that an explanation names, and what its contribution tells of the user. */
export interface FeatureGroup {
  name: string;
  tells: ReasonSubject;
  /** Copies the group's features of row `from` of a batch to row `to` of another one. */
  copy(source: FeatureBatch, from: number, target: FeatureBatch, to: number): void;
}

/**
 * What the groups tell of the user. `price` compares with what the user usually pays; `situation` includes which sources
 * found the product, and thus whether the user's history did.
 */
const subjects: Readonly<Record<string, ReasonSubject>> = {
  popularity: null,
  geography: "usual places",
};

const denseWidth = featureShape.dense.length;
const pairWidth = featureShape.history * featureShape.pair.length;

/** Families that an explanation counts with the family before them: both tell of the user's own choices of the product. */
const countedWithPrevious: ReadonlySet<string> = new Set(["order"]);

/** Returns the families of an explanation in the order of the dense features, with their numbers of features. */
function explainedFamilies(): { name: string; length: number }[] {
  const families: { name: string; length: number }[] = [];
  for (const [name, { names }] of Object.entries(featureFamilies)) {
    const previous = families.at(-1);
    if (previous && countedWithPrevious.has(name)) previous.length += names.length;
    else families.push({ name, length: names.length });
  }
  return families;
}

/** Groups of dense features. The group `category` includes the embedding of the category. */
const denseGroups = (): FeatureGroup[] => {
  let offset = 0;
  return explainedFamilies().map(({ name, length }) => {
    const start = offset;
    offset += length;
    return {
      ...{ name, tells: subjects[name] === undefined ? "history" : subjects[name] },
      copy: (source, from, target, to) => {
        const at = from * denseWidth + start;
        target.dense.set(source.dense.subarray(at, at + length), to * denseWidth + start);
        if (name === "category") target.category[to] = source.category[from];
      },
    };
  });
};

/** All groups: the explained families of dense features, and `recent`, the similarity of the product to the user's last events. */
export const featureGroups: readonly FeatureGroup[] = [
  ...denseGroups(),
  {
    ...{ name: "recent", tells: "history" },
    copy: (source, from, target, to) =>
      target.pair.set(source.pair.subarray(from * pairWidth, (from + 1) * pairWidth), to * pairWidth),
  },
];

/** Copies what all candidates of a ranking share: the user's last events, and the moment. */
export function copyShared(source: FeatureBatch, target: FeatureBatch): void {
  target.event.set(source.event);
  target.historyCategory.set(source.historyCategory);
  target.moment.set(source.moment.subarray(0, momentLength));
}

/**
 * Returns the average candidate of a batch as a batch of one row: the mean of each numeric feature, and the most frequent
 * category bucket, the smallest of equally frequent ones.
 */
export function averageCandidate(batch: FeatureBatch, shape: FeatureShape = featureShape): FeatureBatch {
  const mean = (values: Float32Array, width: number): Float32Array => {
    const sums = new Float64Array(width);
    for (let row = 0; row < batch.count; row++)
      for (let i = 0; i < width; i++) sums[i] += values[row * width + i];
    return Float32Array.from(sums, (sum) => sum / Math.max(1, batch.count));
  };
  const counts = new Uint32Array(shape.categories);
  for (let row = 0; row < batch.count; row++) counts[batch.category[row]]++;
  return {
    ...{ count: 1, dense: mean(batch.dense, denseWidth), pair: mean(batch.pair, pairWidth) },
    category: Int32Array.of(counts.indexOf(Math.max(...counts))),
    ...{ event: batch.event, historyCategory: batch.historyCategory, moment: batch.moment },
  };
}
