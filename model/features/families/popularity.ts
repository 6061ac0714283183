import type { Columns } from "../../columns/columns.ts";
import { engagementDecayFactors } from "../../retrieval/engagement.ts";
import type { RankingContext } from "../ranking-context.ts";
import type { FeatureFamily } from "./feature-family.ts";

/** Logarithms of the counts that are met most, as they are for all candidates again and again. */
const logs = Float64Array.from({ length: 4096 }, (_, count) => Math.log(count));
const logOf = (count: number): number => logs[count] ?? Math.log(count);

/** Factors that carry a block's decayed engagement to now, computed once for a ranking. */
function decaysOf({ decayFactors: decays, now }: RankingContext, block: Columns): readonly number[] {
  let known = decays.get(block);
  if (!known) {
    known = engagementDecayFactors(block.meta.time, now);
    decays.set(block, known);
  }
  return known;
}

/**
 * How popular the product is: in people and purchases of all time, decayed engagement at 1, 7 and 60 days carried to
 * now, the trend between them, and the rates at which views become choices, smoothed towards 5% by 20 views
 * (empirical Bayes with a fixed prior). Popularity counts people before visits: a few regulars make no favourite.
 */
export const popularityFeatures: FeatureFamily = {
  names: [
    "people",
    "views",
    "purchases",
    "hot_1d",
    "hot_7d",
    "hot_60d",
    "trend",
    "click_rate",
    "purchase_rate",
    "dismiss_rate",
    "quiet_days",
    "never_chosen",
  ],
  fill(context, block, row, _trace, out, at) {
    const c = row * 6;
    const { counts } = block;
    const factors = decaysOf(context, block);
    const day = factors[0] * block.hot[row * 3];
    const week = factors[1] * block.hot[row * 3 + 1];
    const season = factors[2] * block.hot[row * 3 + 2];
    out[at] = logOf(counts[c + 5] + 1);
    out[at + 1] = logOf(counts[c] + 1) / 2;
    out[at + 2] = logOf(counts[c + 3] + 1) / 2;
    out[at + 3] = Math.log1p(day) / 2;
    out[at + 4] = Math.log1p(week) / 2;
    out[at + 5] = Math.log1p(season) / 2;
    out[at + 6] = Math.log((7 * day + 5) / (week + 5)) / 2;
    const seen = logOf(counts[c] + 20);
    out[at + 7] = (logOf(counts[c + 1] + 1) - seen) / 3 + 1;
    out[at + 8] = (logOf(counts[c + 3] + 1) - seen) / 3 + 1;
    out[at + 9] = (logOf(counts[c + 4] + 1) - seen) / 3 + 1;
    const last = block.lastTime[row];
    out[at + 10] = last > 0 ? Math.log1p(Math.max(0, context.now - last) / 86_400) / 2 : 0;
    out[at + 11] = counts[c + 5] > 0 ? 0 : 1;
  },
};
