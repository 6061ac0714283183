import { daySeconds } from "../../../shared/time/seconds.ts";
import type { RankingContext } from "../ranking-context.ts";
import type { FeatureFamily } from "./feature-family.ts";

/**
 * The situation of the ranking, which modifies the effect of other features:
 * - how many choices and products the profile has, and the user's novelty;
 * - the time since the user's last choice, also modulo a day and a week;
 * - the hour on the circle, and whether it is a weekend;
 * - the share of candidates that nobody has chosen;
 * - how the sources found the candidate: only these features differ between candidates.
 */
export const situationFeatures: FeatureFamily = {
  names: [
    "person_choices",
    "person_products",
    "since_last",
    "since_last_sin",
    "since_last_cos",
    "since_last_week_sin",
    "since_last_week_cos",
    "hour_sin",
    "hour_cos",
    "weekend",
    "novelty",
    "list_fresh",
    "found_near",
    "found_sources",
  ],
  fill(of, _row, trace, out, at) {
    of.situation ??= momentValues(of.context);
    const moment = of.situation;
    for (let i = 0; i < moment.length; i++) out[at + i] = moment[i];
    out[at + moment.length] = trace.near;
    out[at + moment.length + 1] = trace.sources / 2;
  },
};

/** Returns the features that all candidates share. */
function momentValues(context: RankingContext): readonly number[] {
  const { profile, choices, now, localNow } = context;
  const angle = (2 * Math.PI * (localNow % daySeconds)) / daySeconds;
  const since = choices[0] ? Math.max(0, now - choices[0].time) / daySeconds : 0;
  return [
    Math.log1p(profile.choices) / 2,
    Math.log1p(profile.products.size) / 2,
    Math.log1p(since),
    choices[0] ? Math.sin(2 * Math.PI * since) : 0,
    choices[0] ? Math.cos(2 * Math.PI * since) : 0,
    choices[0] ? Math.sin((2 * Math.PI * since) / 7) : 0,
    choices[0] ? Math.cos((2 * Math.PI * since) / 7) : 0,
    Math.sin(angle),
    Math.cos(angle),
    context.weekday >= 5 ? 1 : 0,
    context.novelty,
    Math.log((context.list.neverChosen + 5) / (context.list.size + 50)) / 2,
  ];
}
