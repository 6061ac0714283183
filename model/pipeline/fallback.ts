import type { FeatureBatch, Scores } from "../features/batch.ts";
import { featureShape } from "../features/compute.ts";
import type { Ranker } from "./ports.ts";

/** Weights of a scorer that is linear in the dense features, by name. */
type Weights = Readonly<Record<string, number>>;

function linear(version: string, bias: number, weights: Weights): Ranker {
  const terms = Object.entries(weights).map(([name, weight]) => {
    const index = featureShape.dense.indexOf(name);
    if (index < 0) throw new Error(`no dense feature is named ${name}`);
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
        purchase[i] = sum - 1;
      }
      return { engage, purchase };
    },
  };
}

/** When no model can run: what they chose before, what followed, what is near and popular. Weights set by hand, in the order of what counting methods show to matter. */
export const linearRanker = linear("linear", -4, {
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

/** The last resort: popular and near, the same for everyone. */
export const popularityRanker = linear("popularity", -4, { people: 1, hot_7d: 1, distance_log: -1.5 });
