import type { FeatureBatch } from "../../model/features/batch.ts";
import { featureShape } from "../../model/features/compute.ts";
import type { PipelineAnswer } from "../../model/pipeline/recommend.ts";
import type { Impression } from "../shared/contracts/impression.ts";
import type { RecommendationReceipt } from "../shared/contracts/recommendation.ts";

/** Candidates that were not shown and are logged beside those that were. */
const othersLogged = 10;

const base64 = (view: ArrayBufferView): string => {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
  return btoa(text);
};

/** The inputs of one candidate by name. The history's and the moment's are the same for all: they go with each row. */
function rowFeatures(features: FeatureBatch, index: number): Record<string, string> {
  const dense = featureShape.dense.length;
  const pair = featureShape.history * featureShape.pair.length;
  return {
    dense: base64(features.dense.subarray(index * dense, (index + 1) * dense)),
    pair: base64(features.pair.subarray(index * pair, (index + 1) * pair)),
    event: base64(features.event),
    category: base64(features.category.subarray(index, index + 1)),
    historyCategory: base64(features.historyCategory),
    moment: base64(features.moment),
  };
}

/** What is left with the person: all that was shown, and an even sample of what was not, by `random` in 0..1. */
export function impressionOf(
  answer: PipelineAnswer,
  receipt: RecommendationReceipt,
  random: () => number,
): Impression {
  const shown = new Map(answer.items.map((item, i) => [item.index, i + 1]));
  const others = answer.candidates.map((_, index) => index).filter((index) => !shown.has(index));
  const sample: number[] = [];
  while (sample.length < othersLogged && others.length > 0)
    sample.push(others.splice(Math.floor(random() * others.length), 1)[0]);
  return {
    receipt,
    featureHash: featureShape.hash,
    rows: [...shown.keys(), ...sample].map((index) => ({
      productId: answer.candidates[index].block.id(answer.candidates[index].row),
      position: shown.get(index) ?? 0,
      // The policy is deterministic: what is shown, is shown surely.
      propensity: shown.has(index) ? 1 : 0,
      score: answer.scores[index],
      features: rowFeatures(answer.features, index),
    })),
  };
}
