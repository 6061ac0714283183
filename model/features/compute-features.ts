import type { Columns } from "../columns/columns.ts";
import { hash32, hash53 } from "../columns/hash.ts";
import { emptyBatch, type FeatureBatch, type FeatureShape } from "./batch.ts";
import { categoryFeatures } from "./families/category.ts";
import type { CandidateTrace, FeatureFamily } from "./families/feature-family.ts";
import { geographyFeatures } from "./families/geography.ts";
import { orderFeatures } from "./families/order.ts";
import { ownFeatures } from "./families/own.ts";
import { popularityFeatures } from "./families/popularity.ts";
import { priceFeatures } from "./families/price.ts";
import { rhythmFeatures } from "./families/rhythm.ts";
import { situationFeatures } from "./families/situation.ts";
import { transitionFeatures } from "./families/transition.ts";
import {
  eventFeatureNames,
  eventHistoryOf,
  fillEvents,
  fillPairs,
  historyLength,
  pairFeatureNames,
} from "./pair-features.ts";
import { type RankedBlock, rankedBlock } from "./ranked-block.ts";
import type { RankingContext } from "./ranking-context.ts";

/** All feature families, in the order of the model's input. */
export const featureFamilies: Readonly<Record<string, FeatureFamily>> = {
  own: ownFeatures,
  order: orderFeatures,
  rhythm: rhythmFeatures,
  category: categoryFeatures,
  transition: transitionFeatures,
  geography: geographyFeatures,
  popularity: popularityFeatures,
  price: priceFeatures,
  situation: situationFeatures,
};
const orderedFamilies = Object.values(featureFamilies);
const widths = orderedFamilies.map(({ names }) => names.length);

/** Buckets of hashed categories; 0 stands for no category. */
const categoryBuckets = 1024;
/**
 * Version of the formulas. Increase it when a formula changes under the same name, so that older models are refused.
 */
const formulaVersion = 4;

/** The specification of the model's inputs. */
export const featureShape: FeatureShape = (() => {
  const dense = orderedFamilies.flatMap((family) => family.names);
  const pair = [...pairFeatureNames];
  const event = [...eventFeatureNames];
  const hash = hash53(
    JSON.stringify({
      formulas: formulaVersion,
      dense,
      pair,
      event,
      history: historyLength,
      categories: categoryBuckets,
    }),
  ).toString(16);
  return { dense, pair, event, history: historyLength, categories: categoryBuckets, hash };
})();

/** A candidate: a row of a block, and how the sources found it. */
export interface Candidate {
  block: Columns;
  row: number;
  trace: CandidateTrace;
}

/** Returns the bucket of a category's hash. */
export const categoryBucket = (hash: number): number => 1 + (hash % (categoryBuckets - 1));

/** Computes the inputs of one ranking from columns. It overwrites `batch`, which must be for as many candidates. */
export function computeFeatures(
  context: RankingContext,
  candidates: readonly Candidate[],
  batch: FeatureBatch = emptyBatch(featureShape, candidates.length),
): FeatureBatch {
  batch.pair.fill(0);
  batch.historyCategory.fill(0);
  const history = eventHistoryOf(context);
  fillEvents(history, batch.event);
  batch.moment.set([context.hour, 24 + context.weekday]);
  for (const [i, { category }] of history.events.entries())
    batch.historyCategory[i] = category === null ? 0 : categoryBucket(hash32(category));
  const width = featureShape.dense.length;
  const pairWidth = historyLength * pairFeatureNames.length;
  const ranked = new Map<Columns, RankedBlock>();
  // Candidates of one block mostly follow each other.
  let of = null as RankedBlock | null;
  for (let i = 0; i < candidates.length; i++) {
    const { block, row, trace } = candidates[i];
    if (of?.block !== block) {
      of = ranked.get(block) ?? rankedBlock(context, block);
      ranked.set(block, of);
    }
    let at = i * width;
    for (let j = 0; j < orderedFamilies.length; j++) {
      orderedFamilies[j].fill(of, row, trace, batch.dense, at);
      at += widths[j];
    }
    fillPairs(history, of, row, batch.pair, i * pairWidth);
    batch.category[i] = categoryBucket(block.categoryHash[row]);
  }
  return batch;
}
