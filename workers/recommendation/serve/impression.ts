import { featureShape } from "../../../model/features/compute.ts";
import { packFeatures } from "../../../model/features/packed.ts";
import type { PipelineAnswer } from "../../../model/pipeline/recommend.ts";
import type { Impression } from "../../../shared/contracts/impression.ts";
import type { RecommendationReceipt } from "../../../shared/contracts/recommendation.ts";

/** Candidates that were not shown and are logged beside those that were. */
const othersLogged = 10;

/** What is left with the person: all that was shown, and an even sample of what was not, by `random` in 0..1. */
export function impressionOf(
  answer: PipelineAnswer,
  receipt: RecommendationReceipt,
  random: () => number,
): Impression {
  const shown = new Map(answer.items.map((item, i) => [item.index, i]));
  const indices = [...shown.keys(), ...sampleWithout(shown, answer.candidates.length, random)];
  return {
    receipt,
    featureHash: featureShape.hash,
    rows: indices.map((index) => {
      const place = shown.get(index);
      const { block, row } = answer.candidates[index];
      return {
        productId: block.id(row),
        category: block.strings[block.category[row]] ?? null,
        position: place === undefined ? 0 : place + 1,
        propensity: place === undefined ? 0 : receipt.items[place].propensity,
        score: answer.scores[index],
      };
    }),
    features: packFeatures(featureShape, answer.features, indices),
  };
}

/** Indices below `count` that are not shown, each about equally likely. */
function sampleWithout(shown: ReadonlyMap<number, number>, count: number, random: () => number): number[] {
  const drawn = new Set<number>();
  const wanted = Math.min(othersLogged, count - shown.size);
  while (drawn.size < wanted) {
    let index = Math.floor(random() * count);
    // Few are wanted of many, as a rule: the next free one is cheaper than a list of all.
    while (shown.has(index) || drawn.has(index)) index = (index + 1) % count;
    drawn.add(index);
  }
  return [...drawn];
}
