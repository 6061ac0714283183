import { daySeconds } from "../../../shared/time/seconds.ts";
import { categoryHalfLives, dismissalWeight, netChoices } from "../../profile/profile.ts";
import { signedLog } from "../../signed-log.ts";
import type { RankedBlock } from "../ranked-block.ts";
import type { RankingContext } from "../ranking-context.ts";
import type { FeatureFamily } from "./feature-family.ts";

/** Smoothing of the lift, in choices. */
const liftPrior = 1;
/** Smoothing of the shares of a category, in choices. */
const sharePrior = 2;
/** Smoothing of the ratio of two shares. */
const ratioPrior = 0.01;

/**
 * Affinity of the user to the candidate's category:
 * - the category's share of the user's choices, of all time and decayed;
 * - the category's share at this hour and weekday against its share overall, for the user and for all users;
 * - how often the user chose the category after the category of the last choice;
 * - the category's lift: how much more often the user chose the category than an average user would have at the same
 *   hours, in log, smoothed (empirical Bayes, gamma prior).
 *
 * Dismissals count as negative choices, so that share, decayed choices and lift of a rejected category fall below those
 * of a category that the user does not know.
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
  fill(of, row, _trace, out, at) {
    const values = categoryValues(of, of.block.category[row]);
    for (let i = 0; i < values.length; i++) out[at + i] = values[i];
  },
};

/**
 * Returns the features of the category with an index among the block's strings. All of its candidates share them, so they
 * are computed once per block.
 */
function categoryValues(
  { context, block, categoryValues: cached }: RankedBlock,
  index: number,
): Float32Array {
  let values = cached[index];
  if (!values) {
    values = computeCategoryValues(context, block.strings[index]);
    cached[index] = values;
  }
  return values;
}

function computeCategoryValues(
  { profile, categories, choices, list, ...context }: RankingContext,
  category: string,
): Float32Array {
  const values = new Float32Array(categoryFeatures.names.length);
  const stats = categories.get(category);
  values[6] = choices[0]?.category === category ? 1 : 0;
  values[7] = 2 * (context.categoryTransitions.get(category) ?? 0);
  values[8] = list.categoryHours.get(category) ?? 0;
  const expected = list.expectedChoices.get(category) ?? 0;
  const net = stats ? netChoices(stats) : 0;
  const liftOf = net < 0 ? liftPrior / (1 - net) : net + liftPrior;
  values[9] = Math.log(liftOf / (expected + liftPrior));
  if (!stats) return values;
  values[1] = (3 * net) / (profile.choices + dismissalWeight * stats.dismissals + sharePrior);
  for (let i = 0; i < categoryHalfLives.length; i++) {
    const days = Math.max(0, context.now - stats.at) / daySeconds;
    values[2 + i] = signedLog(stats.decayed[i] * 2 ** (-days / categoryHalfLives[i]));
  }
  if (stats.choices === 0) return values;
  const share = stats.choices / (profile.choices + sharePrior);
  values[0] = 1;
  const { hour, weekday } = context;
  // The hour, and half of the hours before and after.
  const nearHour = (hours: readonly number[]): number =>
    hours[(hour + 23) % 24] / 2 + hours[hour] + hours[(hour + 1) % 24] / 2;
  const byHour = (nearHour(stats.hours) + sharePrior * share) / (nearHour(profile.hours) + sharePrior);
  const byWeekday = (stats.weekdays[weekday] + sharePrior * share) / (profile.weekdays[weekday] + sharePrior);
  values[4] = Math.log((byHour + ratioPrior) / (share + ratioPrior));
  values[5] = Math.log((byWeekday + ratioPrior) / (share + ratioPrior));
  return values;
}
