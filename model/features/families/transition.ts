import type { RankingContext } from "../ranking-context.ts";
import type { FeatureFamily } from "./feature-family.ts";

/** Choices that came as long after one of the last choice's product as now is after the last choice, softly counted. */
function sameGap(
  { choices, lastProductTimes: timesOfLast, localNow }: RankingContext,
  times: readonly number[],
): number {
  const [last] = choices;
  if (!last || times.length === 0) return 0;
  // Who has changed their timezone since may be "before" their last choice.
  const gap = Math.log(Math.max(0, localNow - last.localTime) + 60);
  let sum = 0;
  let before = -1;
  for (const time of times) {
    while (before + 1 < timesOfLast.length && timesOfLast[before + 1] < time) before++;
    if (before < 0) continue;
    const apart = (Math.log(time - timesOfLast[before] + 60) - gap) / 0.5;
    sum += Math.exp((-apart * apart) / 2);
  }
  return sum;
}

/**
 * What followed what was just chosen: the person's own steps from the last and the second last choice, c / (n + 2),
 * and everyone's, as smoothed shares of the neighbour columns (first-order Markov chains, smoothed as in
 * Rendle et al., "Factorizing Personalized Markov Chains", WWW 2010, by counts instead of factors); and how often it was
 * chosen as long after the last choice's product as it would be now (Gaussian of 0.5 over the logarithm of the gap).
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
  fill(context, block, row, _trace, out, at) {
    const hash = block.idHash[row];
    const own = context.transitionsFromLast.get(hash) ?? 0;
    const second = context.transitionsFromSecond.get(hash) ?? 0;
    const everyone = context.nextProductsOfLast.get(hash) ?? 0;
    out[at] = (3 * own) / (context.transitionsFromLastSum + 2);
    out[at + 1] = Math.log1p(own);
    out[at + 2] = (3 * second) / (context.transitionsFromSecondSum + 2);
    out[at + 3] = Math.log1p(sameGap(context, context.products.get(hash)?.times ?? []));
    out[at + 4] = 3 * everyone;
    out[at + 5] = everyone > 0 ? Math.max(0, Math.log(everyone) + 6) / 2 : 0;
    out[at + 6] = 3 * (context.nextProductsOfSecond.get(hash) ?? 0);
  },
};
