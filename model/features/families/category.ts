import { hash32 } from "../../columns/hash.ts";
import { categoryHalfLives } from "../../profile/profile.ts";
import type { RankingContext } from "../ranking-context.ts";
import type { FeatureFamily } from "./feature-family.ts";

/** Choices that are added to both in the lift: so many leave little doubt. */
const liftPrior = 1;

/**
 * Affinity of the person to the candidate's category: its share of their choices, lately and of all time, and how
 * much this hour and weekday speak for it (share of the category at this hour, smoothed by 2 choices, against its
 * share overall), for them and for everyone around; how often they went on to it from the category of the last choice; and its lift: how much
 * more often they chose it than everyone here would have at their hours, in log, smoothed (empirical Bayes, gamma prior).
 */
export const categoryFeatures: FeatureFamily = {
  names: [
    "category_known",
    "category_share",
    "category_decayed_3d",
    "category_decayed_30d",
    "category_hour",
    "category_weekday",
    "category_is_last",
    "category_step",
    "category_hour_everyone",
    "category_lift",
  ],
  fill(context, block, row, _trace, out, at) {
    const values = categoryValues(context, block.categoryHash[row]);
    for (let i = 0; i < values.length; i++) out[at + i] = values[i];
  },
};

const cachedValues = new WeakMap<RankingContext, Map<number, Float32Array>>();

/** What the family says of a category: the same for all of its candidates, so reckoned once in a ranking. */
function categoryValues(context: RankingContext, hash: number): Float32Array {
  let categories = cachedValues.get(context);
  if (!categories) {
    categories = new Map();
    cachedValues.set(context, categories);
  }
  let values = categories.get(hash);
  if (!values) {
    values = computeCategoryValues(context, hash);
    categories.set(hash, values);
  }
  return values;
}

function computeCategoryValues(
  { profile: person, categories, choices, list, ...context }: RankingContext,
  hash: number,
): Float32Array {
  const values = new Float32Array(categoryFeatures.names.length);
  const memory = categories.get(hash);
  const last = choices[0]?.category;
  values[6] = last !== undefined && last !== null && hash32(last) === hash ? 1 : 0;
  values[7] = 2 * (context.categoryTransitions.get(hash) ?? 0);
  values[8] = list.categoryHours.get(hash) ?? 0;
  const expected = list.expectedChoices.get(hash) ?? 0;
  values[9] = Math.log(((memory?.choices ?? 0) + liftPrior) / (expected + liftPrior));
  if (!memory) return values;
  const share = memory.choices / (person.choices + 2);
  values[0] = 1;
  values[1] = 3 * share;
  for (let i = 0; i < categoryHalfLives.length; i++) {
    const days = Math.max(0, context.now - memory.at) / 86_400;
    values[2 + i] = Math.log1p(memory.decayed[i] * 2 ** (-days / categoryHalfLives[i]));
  }
  const { hour, weekday } = context;
  const around = (of: readonly number[]): number =>
    of[(hour + 23) % 24] / 2 + of[hour] + of[(hour + 1) % 24] / 2;
  const byHour = (around(memory.hours) + 2 * share) / (around(person.hours) + 2);
  const byWeekday = (memory.weekdays[weekday] + 2 * share) / (person.weekdays[weekday] + 2);
  values[4] = Math.log((byHour + 0.01) / (share + 0.01));
  values[5] = Math.log((byWeekday + 0.01) / (share + 0.01));
  return values;
}
