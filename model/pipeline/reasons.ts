import { defaultMinUsersShown } from "../../shared/counting/min-users-shown.ts";
import { featureShape } from "../features/compute-features.ts";

/** What a reason tells of the user: what they did, where they are, where they usually are, or nothing. */
export type ReasonSubject = "history" | "place" | "usual places" | null;

/** A reason, the feature and the threshold that it must reach, and what the reason tells of the user. */
interface ReasonRule {
  reason: string;
  feature: string;
  threshold: number;
  tells: ReasonSubject;
  /** How many users must have chosen the product. */
  minUsers?: number;
}

const rules: readonly ReasonRule[] = [
  { reason: "chosen_before", feature: "own_known", threshold: 1, tells: "history" },
  { reason: "your_usual_time", feature: "own_hour_share", threshold: 0.5, tells: "history" },
  { reason: "next_after_your_last", feature: "step_own", threshold: 0.5, tells: "history" },
  { reason: "followed_by_others", feature: "step_everyone", threshold: 0.1, tells: "history" },
  { reason: "category_you_like", feature: "category_decayed_3d", threshold: 0.7, tells: "history" },
  { reason: "near_you", feature: "distance_within_1", threshold: 0.4, tells: "place" },
  { reason: "near_your_usual_places", feature: "usual_density_0.5", threshold: 1.8, tells: "usual places" },
  { reason: "popular", feature: "people", threshold: 2.5, tells: null },
  // One purchase of today reaches the threshold: the reason must not tell who else bought.
  { reason: "trending", feature: "hot_1d", threshold: 0.8, tells: null, minUsers: defaultMinUsersShown },
  { reason: "discounted", feature: "discount", threshold: 0.3, tells: null },
];
/** What each reason tells of the user. */
export const reasonSubjects: ReadonlyMap<string, ReasonSubject> = new Map(
  rules.map(({ reason, tells }) => [reason, tells]),
);
const indexed = rules.map((rule) => ({
  ...rule,
  index: featureShape.dense.indexOf(rule.feature),
  minPeople: Math.fround(Math.log((rule.minUsers ?? 0) + 1)),
}));
const peopleIndex = featureShape.dense.indexOf("people");

/** Returns the reasons for showing a candidate, from its row of dense features, which starts at `at`. */
export const reasonsOf = (dense: Float32Array, at: number): string[] =>
  indexed
    .filter(
      ({ index, threshold, minPeople }) =>
        dense[at + index] >= threshold && dense[at + peopleIndex] >= minPeople,
    )
    .map(({ reason }) => reason);
