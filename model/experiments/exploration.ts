/** How often, and how far down the ranking, the policy explores. */
export interface Exploration {
  /** Probability that the last position of a list shows a lower-ranked item; 0 for never. */
  rate: number;
  /** Number of next-ranked items among which the policy draws uniformly. */
  depth: number;
}

/** A shown item, with the probability that the policy shows it at its position. */
export interface ShownItem<T> {
  item: T;
  propensity: number;
}

/** The policy does not explore in shorter lists: their last position still holds one of the best items. */
const minListLength = 5;

/**
 * Returns the first `limit` items of a ranking, with exploration at the last position: with probability `rate`, the
 * policy shows one of the next `depth` items there, each with the same probability. So users also see items that the
 * model would never show, at the position where exploration costs least. The known propensities allow off-policy
 * evaluation (Horvitz and Thompson, 1952; Bottou and others, JMLR 14, 2013). `random` returns numbers in [0, 1).
 */
export function explore<T>(
  order: readonly T[],
  limit: number,
  { rate, depth }: Exploration,
  random: () => number,
): ShownItem<T>[] {
  const shown = order.slice(0, limit).map((item) => ({ item, propensity: 1 }));
  const others = order.slice(limit, limit + depth);
  if (shown.length < minListLength || others.length === 0 || !(rate > 0)) return shown;
  const last = shown[shown.length - 1];
  if (random() < rate) {
    last.item = others[Math.min(others.length - 1, Math.floor(random() * others.length))];
    last.propensity = rate / others.length;
  } else last.propensity = 1 - rate;
  return shown;
}
