import { eventTypes } from "../../../shared/contracts/event.ts";
import { halved } from "../../../shared/geo/decay.ts";
import { fastLog1p } from "../../../shared/math/fast-log.ts";
import { daySeconds } from "../../../shared/time/seconds.ts";
import { offsetsByName } from "../../columns/offsets.ts";
import { hasProductId } from "../../columns/product-identity.ts";
import type { FeatureFamily } from "./feature-family.ts";

/** Half-lives of decayed choices, in days. */
const halfLives = [0.25, 1, 7, 30, 120] as const;

const typeOffset = offsetsByName(eventTypes);

const names = [
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
];
const dismissalsOffset = names.indexOf("own_dismissals");

/**
 * The user's own history with the product: number and share of their choices, decayed choices at several half-lives,
 * and interactions by type. Decayed choices at half-life h: log(1 + sum over choices of 2^(-age/h)). Frequency and
 * recency together explain repeat consumption (Anderson et al., "The Dynamics of Repeat Consumption", WWW 2014). A
 * product that the user only dismissed has dismissals, and is not known.
 */
export const ownFeatures: FeatureFamily = {
  names,
  fill({ context, block }, row, _trace, out, at) {
    const stats = context.products.get(block, row);
    const dismissals = fastLog1p(context.dismissals.get(block, row) ?? 0);
    if (!stats) {
      for (let i = 0; i < names.length; i++) out[at + i] = 0;
      out[at + dismissalsOffset] = dismissals;
      return;
    }
    const { localNow, profile } = context;
    out[at++] = 1;
    out[at++] = fastLog1p(stats.choices);
    out[at++] = 5 * (stats.choices / (profile.choices + 5));
    for (const days of halfLives) {
      let sum = 0;
      for (const time of stats.times) sum += halved(Math.max(0, localNow - time) / daySeconds / days);
      out[at++] = fastLog1p(sum);
    }
    const newest = stats.times.at(-1);
    const ageDays = newest === undefined ? 0 : Math.max(0, localNow - newest) / daySeconds;
    out[at++] = fastLog1p(ageDays);
    out[at++] = context.lastProductId !== null && hasProductId(block, row, context.lastProductId) ? 1 : 0;
    out[at++] = fastLog1p(stats.counts[typeOffset.cart]);
    out[at++] = fastLog1p(stats.counts[typeOffset.purchase]);
    out[at++] = dismissals;
    // Time since the last choice, as a share of the mean time between two choices of the product.
    const { times } = stats;
    const gap = times.length > 1 ? (times[times.length - 1] - times[0]) / (times.length - 1) / daySeconds : 0;
    out[at] = gap > 0 ? Math.min(3, ageDays / gap) : 0;
  },
};
