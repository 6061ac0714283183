import type { Columns } from "../columns/columns.ts";
import { hash32, hash53 } from "../columns/hash.ts";
import { emptyBatch, type FeatureBatch, type FeatureShape } from "./batch.ts";
import { category } from "./category.ts";
import type { RankingContext } from "./context.ts";
import type { CandidateTrace, FeatureFamily } from "./feature.ts";
import { geography } from "./geography.ts";
import { own } from "./own.ts";
import { eventNames, fillEvents, fillPairs, history, historyOf, pairNames } from "./pair.ts";
import { popularity } from "./popularity.ts";
import { price } from "./price.ts";
import { rhythm } from "./rhythm.ts";
import { situation } from "./situation.ts";
import { transition } from "./transition.ts";

/** All families, in the order of the model's input. */
export const families: Readonly<Record<string, FeatureFamily>> = {
  own,
  rhythm,
  category,
  transition,
  geography,
  popularity,
  price,
  situation,
};
const ordered = Object.values(families);

/** Buckets of hashed categories; 0 is "none". */
const categories = 64;
/** Grows when a formula changes though no name does: an older model must not be fed with it. */
const formulas = 2;

/** The specification of the inputs. */
export const featureShape: FeatureShape = (() => {
  const dense = ordered.flatMap((family) => family.names);
  const pair = [...pairNames];
  const event = [...eventNames];
  const hash = hash53(JSON.stringify({ formulas, dense, pair, event, history, categories })).toString(16);
  return { dense, pair, event, history, categories, hash };
})();

/** A candidate: a row of a block, and where it was found. */
export interface Candidate {
  block: Columns;
  row: number;
  trace: CandidateTrace;
}

/** Bucket of a category's hash. */
export const categoryBucket = (hash: number): number => 1 + (hash % (categories - 1));

/** Fills the inputs of one ranking in one pass, straight from columns: a batch of as many candidates, whatever it held. */
export function computeFeatures(
  context: RankingContext,
  candidates: readonly Candidate[],
  batch: FeatureBatch = emptyBatch(featureShape, candidates.length),
): FeatureBatch {
  batch.pair.fill(0);
  batch.historyCategory.fill(0);
  const events = historyOf(context);
  fillEvents(events, batch.event);
  batch.moment.set([context.hour, 24 + context.weekday]);
  context.profile.recent
    .slice(-history)
    .reverse()
    .forEach((event, i) => {
      batch.historyCategory[i] = event.category === null ? 0 : categoryBucket(hash32(event.category));
    });
  const width = featureShape.dense.length;
  const pairWidth = history * pairNames.length;
  for (let i = 0; i < candidates.length; i++) {
    const { block, row, trace } = candidates[i];
    let at = i * width;
    for (const family of ordered) {
      family.fill(context, block, row, trace, batch.dense, at);
      at += family.names.length;
    }
    fillPairs(events, block, row, batch.pair, i * pairWidth);
    batch.category[i] = categoryBucket(block.categoryHash[row]);
  }
  return batch;
}
