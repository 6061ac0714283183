/** How much is explored. */
export interface Exploration {
  /** Probability that the last place of a list shows something else than the best of what is left; 0 for never. */
  rate: number;
  /** Among so many of the next best it is drawn evenly. */
  depth: number;
}

/** Something in its place, with the probability that the policy shows it there. */
export interface Placed<T> {
  item: T;
  propensity: number;
}

/** Lists that are shorter are shown as they are: their last place is one of their best. */
const shortest = 5;

/**
 * The first `limit` of an order, in whose last place the policy explores: with probability `rate` it shows one of the
 * `depth` that come after, each as likely. So what the model would never show is seen at times, at the place where it
 * costs the least, and its true probability is known: for judging other policies by what this one showed (Horvitz and
 * Thompson, 1952; Bottou and others, JMLR 14, 2013). `random` gives numbers in [0, 1).
 */
export function explore<T>(
  order: readonly T[],
  limit: number,
  { rate, depth }: Exploration,
  random: () => number,
): Placed<T>[] {
  const shown = order.slice(0, limit).map((item) => ({ item, propensity: 1 }));
  const others = order.slice(limit, limit + depth);
  if (shown.length < shortest || others.length === 0 || !(rate > 0)) return shown;
  const last = shown[shown.length - 1];
  if (random() < rate) {
    last.item = others[Math.min(others.length - 1, Math.floor(random() * others.length))];
    last.propensity = rate / others.length;
  } else last.propensity = 1 - rate;
  return shown;
}
