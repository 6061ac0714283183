import type { FeatureFamily } from "./feature.ts";

/**
 * What followed what was just chosen: the person's own steps from the last and the second last choice, c / (n + 2),
 * and everyone's, as smoothed shares of the neighbour columns (first-order Markov chains, smoothed as in
 * Rendle et al., "Factorizing Personalized Markov Chains", WWW 2010, by counts instead of factors).
 */
export const transition: FeatureFamily = {
  names: [
    "step_own",
    "step_own_count",
    "step_own_second",
    "step_everyone",
    "step_everyone_log",
    "step_everyone_second",
  ],
  fill(context, block, row, _trace, out, at) {
    const hash = block.idHash[row];
    const own = context.stepsFromLast.get(hash) ?? 0;
    const second = context.stepsFromSecond.get(hash) ?? 0;
    const everyone = context.followersOfLast.get(hash) ?? 0;
    out[at] = (3 * own) / (context.stepsFromLastSum + 2);
    out[at + 1] = Math.log1p(own);
    out[at + 2] = (3 * second) / (context.stepsFromSecondSum + 2);
    out[at + 3] = 3 * everyone;
    out[at + 4] = everyone > 0 ? Math.max(0, Math.log(everyone) + 6) / 2 : 0;
    out[at + 5] = 3 * (context.followersOfSecond.get(hash) ?? 0);
  },
};
