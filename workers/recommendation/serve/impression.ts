import { featureShape } from "../../../model/features/compute-features.ts";
import { packFeatures } from "../../../model/features/pack-features.ts";
import type { PipelineAnswer } from "../../../model/pipeline/run-pipeline.ts";
import type { Impression } from "../../../shared/contracts/impression.ts";
import type { ReceiptRecord } from "../../../shared/contracts/recommendation.ts";

/** Unshown candidates per impression that are logged with the shown ones. */
const maxUnshownLogged = 10;

/** Returns the impression to log: every shown candidate, and a uniform sample of the others. `random` returns 0..1. */
export function impressionOf(
  answer: PipelineAnswer,
  receipt: ReceiptRecord,
  random: () => number,
): Impression {
  const shown = new Map(answer.items.map((item, i) => [item.index, i]));
  const indices = [...shown.keys(), ...sampleUnshown(shown, answer.candidates.length, random)];
  return {
    receipt,
    featureHash: featureShape.hash,
    rows: indices.map((index) => {
      const rank = shown.get(index);
      const { block, row } = answer.candidates[index];
      return {
        productId: block.id(row),
        category: block.strings[block.category[row]] ?? null,
        position: rank === undefined ? 0 : rank + 1,
        propensity: rank === undefined ? 0 : receipt.items[rank].propensity,
        score: answer.scores[index],
      };
    }),
    features: packFeatures(featureShape, answer.features, indices),
  };
}

/** Returns random indices below `count` that are not in `shown`, each about equally likely. */
function sampleUnshown(shown: ReadonlyMap<number, number>, count: number, random: () => number): number[] {
  const drawn = new Set<number>();
  const wanted = Math.min(maxUnshownLogged, count - shown.size);
  while (drawn.size < wanted) {
    let index = Math.floor(random() * count);
    // The sample is small compared to `count`: probing for the next free index is cheaper than a shuffle.
    while (shown.has(index) || drawn.has(index)) index = (index + 1) % count;
    drawn.add(index);
  }
  return [...drawn];
}
