import { featureShape } from "../features/compute.ts";

/** A reason, where its feature reaches a threshold. */
const rules: readonly { reason: string; feature: string; least: number }[] = [
  { reason: "chosen_before", feature: "own_known", least: 1 },
  { reason: "your_usual_time", feature: "own_hour_share", least: 0.5 },
  { reason: "next_after_your_last", feature: "step_own", least: 0.5 },
  { reason: "followed_by_others", feature: "step_everyone", least: 0.1 },
  { reason: "category_you_like", feature: "category_decayed_3d", least: 0.7 },
  { reason: "near_you", feature: "distance_within_1", least: 0.4 },
  { reason: "near_your_usual_places", feature: "usual_density_0.5", least: 1.8 },
  { reason: "popular", feature: "people", least: 2.5 },
  { reason: "trending", feature: "hot_1d", least: 0.8 },
  { reason: "discounted", feature: "discount", least: 0.3 },
];
const indexed = rules.map((rule) => ({ ...rule, index: featureShape.dense.indexOf(rule.feature) }));

/** Why a candidate was shown, from the features that the ranker saw; its dense row begins at `at`. */
export const reasonsOf = (dense: Float32Array, at: number): string[] =>
  indexed.filter(({ index, least }) => dense[at + index] >= least).map(({ reason }) => reason);
