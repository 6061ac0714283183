import { fastLog1p } from "../../../shared/math/fast-log.ts";
import type { FeatureFamily } from "./feature-family.ts";

/** Weights of the counting method in `counting_score`: all users' transitions, and what an unknown product has. */
const everyoneWeight = 0.3;
const unknownScore = 0.002;

/**
 * The order of the user's choices, without a clock: see `choice-order.ts`. `counting_score` is the logarithm of a counting
 * method that is hard to beat where people repeat themselves: the product's share of the user's choices, plus its shares of
 * the choices after the last one, by the user and by all users.
 */
export const orderFeatures: FeatureFamily = {
  names: [
    "order_age",
    "order_gap_passed",
    "order_among_10",
    "order_among_30",
    "order_in_session",
    "order_session_start",
    "order_next",
    "order_next_count",
    "order_after_two",
    "order_context",
    "counting_score",
  ],
  fill({ context, block }, row, _trace, out, at) {
    const stats = context.products.get(block, row);
    const order = context.choiceOrder.get(block, row);
    const everyone = context.globalTransitionsFromLast.get(block, row) ?? 0;
    const own = context.transitionsFromLast.get(block, row) ?? 0;
    const score =
      (stats ? stats.choices / Math.max(1, context.profile.choices) : 0) +
      own / (context.transitionsFromLastSum + 2) +
      everyoneWeight * everyone;
    if (order) {
      out[at] = fastLog1p(order.age) / 2;
      out[at + 1] = order.meanGap > 0 ? Math.min(3, order.age / order.meanGap) : 0;
      out[at + 2] = order.among10 / 3;
      out[at + 3] = order.among30 / 6;
      out[at + 4] = fastLog1p(order.inSession);
      out[at + 5] = 3 * order.startShare;
      out[at + 6] = 3 * order.nextShare;
      out[at + 7] = fastLog1p(order.nextCount);
      out[at + 8] = 3 * order.afterTwoShare;
      out[at + 9] = 3 * order.contextShare;
    } else for (let i = 0; i < 10; i++) out[at + i] = 0;
    out[at + 10] = (Math.log(score + unknownScore) + 6) / 2;
  },
};
