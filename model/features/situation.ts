import type { FeatureFamily } from "./feature.ts";

const daySeconds = 86_400;

/**
 * The moment, the same for all candidates, to bend what the other features say: how much is known of the person, how
 * long ago they last chose (also modulo a day and a week), hour and weekday on the circle, their appetite for what is new
 * and how much of it there is, and how the candidate was found.
 */
export const situation: FeatureFamily = {
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
    const { person, choices, now, localNow } = context;
    const angle = (2 * Math.PI * (localNow % daySeconds)) / daySeconds;
    const since = choices[0] ? Math.max(0, now - choices[0].time) / daySeconds : 0;
    out[at] = Math.log1p(person.choices) / 2;
    out[at + 1] = Math.log1p(person.products.size) / 2;
    out[at + 2] = Math.log1p(since);
    out[at + 3] = choices[0] ? Math.sin(2 * Math.PI * since) : 0;
    out[at + 4] = choices[0] ? Math.cos(2 * Math.PI * since) : 0;
    out[at + 5] = choices[0] ? Math.sin((2 * Math.PI * since) / 7) : 0;
    out[at + 6] = choices[0] ? Math.cos((2 * Math.PI * since) / 7) : 0;
    out[at + 7] = Math.sin(angle);
    out[at + 8] = Math.cos(angle);
    out[at + 9] = context.weekday >= 5 ? 1 : 0;
    out[at + 10] = context.novelty;
    out[at + 11] = Math.log((context.list.fresh + 5) / (context.list.size + 50)) / 2;
    out[at + 12] = trace.near;
    out[at + 13] = trace.sources / 2;
  },
};
