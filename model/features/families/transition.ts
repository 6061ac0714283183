import { decay } from "../../../shared/geo/decay.ts";
import { fastLog, fastLog1p } from "../../../shared/math/fast-log.ts";
import type { RankingContext } from "../ranking-context.ts";
import type { FeatureFamily } from "./feature-family.ts";

/** Bandwidth of the Gaussian kernel over the logarithm of a gap. */
const gapBandwidth = 0.5;
/** Seconds added to a gap, so that its logarithm is finite and gaps of a few seconds are alike. */
const gapOffsetSeconds = 60;

/**
 * Returns how many of a product's choices followed a choice of the last chosen product after a gap similar to the one
 * since the last choice. `times` are the times of the product's choices. Each choice counts by a Gaussian kernel over
 * the logarithm of the gap.
 */
function sameGap({ choices, lastProductTimes, localNow }: RankingContext, times: readonly number[]): number {
  const [last] = choices;
  if (!last || times.length === 0) return 0;
  // The gap is negative if the user has moved to a time zone that is far enough behind.
  const gap = fastLog(Math.max(0, localNow - last.localTime) + gapOffsetSeconds);
  let sum = 0;
  let before = -1;
  for (const time of times) {
    while (before + 1 < lastProductTimes.length && lastProductTimes[before + 1] < time) before++;
    if (before < 0) continue;
    const apart = (fastLog(time - lastProductTimes[before] + gapOffsetSeconds) - gap) / gapBandwidth;
    sum += decay((apart * apart) / 2);
  }
  return sum;
}

/**
 * Transitions to the candidate from the last and the second last choice: the user's own, c / (n + 2), and those of all
 * users, as smoothed shares of the next products (first-order Markov chains, smoothed as in Rendle et al., "Factorizing
 * Personalized Markov Chains", WWW 2010, by counts instead of factors); and the user's own transitions after a similar
 * gap of time (Gaussian of 0.5 over the logarithm of the gap).
 */
export const transitionFeatures: FeatureFamily = {
  names: [
    "step_own",
    "step_own_count",
    "step_own_second",
    "step_own_gap",
    "step_everyone",
    "step_everyone_log",
    "step_everyone_second",
  ],
  fill({ context, block }, row, _trace, out, at) {
    const own = context.transitionsFromLast.get(block, row) ?? 0;
    const second = context.transitionsFromSecond.get(block, row) ?? 0;
    const everyone = context.globalTransitionsFromLast.get(block, row) ?? 0;
    out[at] = (3 * own) / (context.transitionsFromLastSum + 2);
    out[at + 1] = fastLog1p(own);
    out[at + 2] = (3 * second) / (context.transitionsFromSecondSum + 2);
    const times = context.products.get(block, row)?.times;
    out[at + 3] = times ? fastLog1p(sameGap(context, times)) : 0;
    out[at + 4] = 3 * everyone;
    out[at + 5] = everyone > 0 ? Math.max(0, Math.log(everyone) + 6) / 2 : 0;
    out[at + 6] = 3 * (context.globalTransitionsFromSecond.get(block, row) ?? 0);
  },
};
