import type { FeatureFamily } from "./feature-family.ts";

const daySeconds = 86_400;
const halfLives = [0.25, 1, 7, 30, 120] as const;

/**
 * The person's own past with the product: how often, what share of all their choices, how lately at several
 * half-lives, and what kind of interaction. Decayed count at half-life h: log(1 + sum over choices of 2^(-age/h)).
 * Repeat consumption is explained by frequency and recency together (Anderson et al., "The Dynamics of Repeat
 * Consumption", WWW 2014).
 */
export const ownFeatures: FeatureFamily = {
  names: [
    "own_known",
    "own_count",
    "own_share",
    ...halfLives.map((days) => `own_decayed_${days}d`),
    "own_recency",
    "own_is_last",
    "own_carts",
    "own_purchases",
    "own_dismissals",
    "own_mean_gap_passed",
  ],
  fill(context, block, row, _trace, out, at) {
    const memory = context.products.get(block.idHash[row]);
    if (!memory) {
      out.fill(0, at, at + ownFeatures.names.length);
      return;
    }
    const { localNow, profile: person } = context;
    out[at++] = 1;
    out[at++] = Math.log1p(memory.choices);
    out[at++] = 5 * (memory.choices / (person.choices + 5));
    for (const days of halfLives) {
      let sum = 0;
      for (const time of memory.times) sum += 2 ** (-Math.max(0, localNow - time) / daySeconds / days);
      out[at++] = Math.log1p(sum);
    }
    // A dismissal is no choice: ages are those of choices.
    const newest = memory.times.at(-1);
    const ageDays = newest === undefined ? 0 : Math.max(0, localNow - newest) / daySeconds;
    out[at++] = Math.log1p(ageDays);
    out[at++] = context.lastProductHash === block.idHash[row] ? 1 : 0;
    out[at++] = Math.log1p(memory.counts[2]);
    out[at++] = Math.log1p(memory.counts[3]);
    out[at++] = Math.log1p(memory.counts[4]);
    // How much of the usual time between two choices of it has passed.
    const { times } = memory;
    const gap = times.length > 1 ? (times[times.length - 1] - times[0]) / (times.length - 1) / daySeconds : 0;
    out[at] = gap > 0 ? Math.min(3, ageDays / gap) : 0;
  },
};
