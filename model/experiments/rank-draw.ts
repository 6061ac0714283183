/** An order of ranks that was drawn. */
export interface DrawnOrder {
  /** Indices of the drawn items, by position; then those that got none, in the order of the ranking. */
  order: number[];
  /**
   * Probability with which each item of `order` gets its position, given the items before it. Of an item that got none, the
   * probability that it had got the last position.
   */
  propensities: number[];
}

/**
 * Draws which of `count` ranked items take `positions` positions, by the model of Plackett and Luce over their ranks: each
 * position takes one of the items left, in proportion to rank ** (-1 / temperature). The weights depend on ranks only, so
 * that the rank at a position is independent of what a list is about. Waiting times that are exponential with these rates
 * have this order, as scores with Gumbel noise have (Yellott, Journal of Mathematical Psychology 15, 1977). `random` returns
 * numbers in [0, 1), one for each item.
 */
export function drawRanks(
  count: number,
  positions: number,
  temperature: number,
  random: () => number,
): DrawnOrder {
  const weights = Array.from({ length: count }, (_, i) => (i + 1) ** (-1 / temperature));
  const waits = weights.map((weight) => -Math.log1p(-random()) / weight);
  const sorted = weights.map((_, i) => i).sort((a, b) => waits[a] - waits[b] || a - b);
  const shown = sorted.slice(0, positions);
  const rest = sorted.slice(positions).sort((a, b) => a - b);
  let left = weights.reduce((sum, each) => sum + each, 0);
  let before = left;
  const propensities = shown.map((i) => {
    before = left;
    left -= weights[i];
    return Math.min(1, weights[i] / before);
  });
  return {
    order: [...shown, ...rest],
    propensities: [...propensities, ...rest.map((i) => weights[i] / before)],
  };
}
