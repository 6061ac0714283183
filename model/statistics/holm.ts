/**
 * Returns which hypotheses are rejected, so that with a probability of at least 1 - alpha no true one is (Holm, "A simple
 * sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6(2), 1979). It holds for dependent
 * tests, too.
 */
export function rejectedByHolm(pValues: readonly number[], alpha: number): boolean[] {
  const rejected = pValues.map(() => false);
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a] - pValues[b]);
  for (const [rank, i] of order.entries()) {
    if (!(pValues[i] <= alpha / (pValues.length - rank))) break;
    rejected[i] = true;
  }
  return rejected;
}
