import { featureShape } from "../features/compute-features.ts";

/** Reasons, each with the feature and the threshold that the feature must reach. */
const rules: readonly { reason: string; feature: string; threshold: number }[] = [
  { reason: "chosen_before", feature: "own_known", threshold: 1 },
  { reason: "your_usual_time", feature: "own_hour_share", threshold: 0.5 },
  { reason: "next_after_your_last", feature: "step_own", threshold: 0.5 },
  { reason: "followed_by_others", feature: "step_everyone", threshold: 0.1 },
  { reason: "category_you_like", feature: "category_decayed_3d", threshold: 0.7 },
  { reason: "near_you", feature: "distance_within_1", threshold: 0.4 },
  { reason: "near_your_usual_places", feature: "usual_density_0.5", threshold: 1.8 },
  { reason: "popular", feature: "people", threshold: 2.5 },
  { reason: "trending", feature: "hot_1d", threshold: 0.8 },
  { reason: "discounted", feature: "discount", threshold: 0.3 },
];
const indexed = rules.map((rule) => ({ ...rule, index: featureShape.dense.indexOf(rule.feature) }));

/** Returns the reasons for showing a candidate, from its row of dense features, which starts at `at`. */
export const reasonsOf = (dense: Float32Array, at: number): string[] =>
  indexed.filter(({ index, threshold }) => dense[at + index] >= threshold).map(({ reason }) => reason);
