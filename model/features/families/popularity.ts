import { fastLog, fastLog1p } from "../../../shared/math/fast-log.ts";
import { daySeconds } from "../../../shared/time/seconds.ts";
import { columnWidth, countOffset, hotOffset } from "../../columns/layout.ts";
import { isUntried } from "../../columns/untried.ts";
import type { FeatureFamily } from "./feature-family.ts";

/** Logarithms of the most frequent counts: a lookup is faster than `Math.log` for each candidate. */
const logs = Float64Array.from({ length: 4096 }, (_, count) => Math.log(count));
const logOf = (count: number): number => logs[count] ?? Math.log(count);

/** Views, and purchases, of a product that count in their feature for each of its people, at most. */
const maxCountPerUser = 8;

const countsWidth = columnWidth.counts;
const hotWidth = columnWidth.hot;
const {
  view: viewOffset,
  click: clickOffset,
  purchase: purchaseOffset,
  dismiss: dismissOffset,
  people: peopleOffset,
} = countOffset;
const { day: dayOffset, week: weekOffset, season: seasonOffset } = hotOffset;

/**
 * Popularity of the product: people, views and purchases of all time; engagement decayed to now at half-lives of 1, 7
 * and 60 days, and its trend; and the rates of clicks, purchases and dismissals per view, smoothed towards 5% by 20
 * views (empirical Bayes with a fixed prior). People count, and views and purchases at most {@link maxCountPerUser} for
 * each, so that a few users with many visits do not make a product popular. `never_chosen` is 1 for a product that no user has chosen or dismissed.
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
  fill({ context, block, decays }, row, _trace, out, at) {
    const c = row * countsWidth;
    const h = row * hotWidth;
    const { counts } = block;
    const day = decays[dayOffset] * block.hot[h + dayOffset];
    const week = decays[weekOffset] * block.hot[h + weekOffset];
    const season = decays[seasonOffset] * block.hot[h + seasonOffset];
    const people = counts[c + peopleOffset];
    const maxCount = people * maxCountPerUser;
    out[at] = logOf(people + 1);
    out[at + 1] = logOf(Math.min(counts[c + viewOffset], maxCount) + 1) / 2;
    out[at + 2] = logOf(Math.min(counts[c + purchaseOffset], maxCount) + 1) / 2;
    out[at + 3] = fastLog1p(day) / 2;
    out[at + 4] = fastLog1p(week) / 2;
    out[at + 5] = fastLog1p(season) / 2;
    out[at + 6] = fastLog((7 * day + 5) / (week + 5)) / 2;
    const views = logOf(counts[c + viewOffset] + 20);
    out[at + 7] = (logOf(counts[c + clickOffset] + 1) - views) / 3 + 1;
    out[at + 8] = (logOf(counts[c + purchaseOffset] + 1) - views) / 3 + 1;
    out[at + 9] = (logOf(counts[c + dismissOffset] + 1) - views) / 3 + 1;
    const last = block.lastTime[row];
    out[at + 10] = last > 0 ? fastLog1p(Math.max(0, context.now - last) / daySeconds) / 2 : 0;
    out[at + 11] = isUntried(block, row) ? 1 : 0;
  },
};
