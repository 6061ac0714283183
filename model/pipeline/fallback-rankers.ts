import type { FeatureBatch, Scores } from "../features/batch.ts";
import { featureShape } from "../features/compute-features.ts";
import type { Ranker } from "./ports.ts";

/** Weights of the dense features, by their names. */
type FeatureWeights = Readonly<Record<string, number>>;

/** Difference between the logit of an engagement and the logit of a purchase. */
const purchaseLogitGap = 1;

/** Returns a ranker whose logits are linear in the dense features. */
function createLinearRanker(version: string, bias: number, weights: FeatureWeights): Ranker {
  const terms = Object.entries(weights).map(([name, weight]) => {
    const index = featureShape.dense.indexOf(name);
    if (index < 0)
      throw new Error(`the ranker "${version}" weighs "${name}", but no dense feature has this name`);
    return { index, weight };
  });
  const width = featureShape.dense.length;
  return {
    version,
    sha256: "",
    async score(batch: FeatureBatch): Promise<Scores> {
      const engage = new Float32Array(batch.count);
      const purchase = new Float32Array(batch.count);
      for (let i = 0; i < batch.count; i++) {
        let sum = bias;
        for (const { index, weight } of terms) sum += weight * batch.dense[i * width + index];
        engage[i] = sum;
        purchase[i] = sum - purchaseLogitGap;
      }
      return { engage, purchase };
    },
  };
}

/**
 * Ranks when no model can run: by the user's own choices, transitions, distance and popularity. The weights are set by
 * hand. The counting methods of the evaluation show which features matter.
 */
export const linearRanker = createLinearRanker("linear", -4, {
  own_share: 1.5,
  own_decayed_7d: 0.5,
  own_decayed_30d: 0.5,
  own_hour_recent_mass: 0.5,
  own_dismissals: -1,
  step_own: 0.7,
  step_everyone: 0.5,
  category_decayed_3d: 0.6,
  category_share: 0.6,
  distance_log: -0.8,
  people: 0.3,
  hot_7d: 0.4,
  discount: 0.2,
});

/** Ranks by popularity and distance, the same for all users: the last fallback. */
export const popularityRanker = createLinearRanker("popularity", -4, {
  people: 1,
  hot_7d: 1,
  distance_log: -1.5,
});

/** Ranks by how lately the user chose a product; products that they never chose come last. */
export const recencyRanker = createLinearRanker("recency", -4, { own_known: 4, own_recency: -1 });
