import type { RankingContext } from "../ranking-context.ts";
import type { FeatureFamily } from "./feature-family.ts";

const daySeconds = 86_400;

/**
 * The moment, the same for all candidates, to bend what the other features say: how much is known of the person, how
 * long ago they last chose (also modulo a day and a week), hour and weekday on the circle, their appetite for what is new
 * and how much of it there is, and how the candidate was found.
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
  fill(context, _block, _row, trace, out, at) {
    const moment = momentValues(context);
    for (let i = 0; i < moment.length; i++) out[at + i] = moment[i];
    out[at + moment.length] = trace.near;
    out[at + moment.length + 1] = trace.sources / 2;
  },
};

const cachedMoments = new WeakMap<RankingContext, readonly number[]>();

/** All but how the candidate was found: the same for all of a ranking, so reckoned once. */
function momentValues(context: RankingContext): readonly number[] {
  const known = cachedMoments.get(context);
  if (known) return known;
  const { profile: person, choices, now, localNow } = context;
  const angle = (2 * Math.PI * (localNow % daySeconds)) / daySeconds;
  const since = choices[0] ? Math.max(0, now - choices[0].time) / daySeconds : 0;
  const moment = [
    Math.log1p(person.choices) / 2,
    Math.log1p(person.products.size) / 2,
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
  cachedMoments.set(context, moment);
  return moment;
}
