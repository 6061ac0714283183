/**
 * Returns the rank of an item (from 1) by score, among the items for which `includes` is true. A tie counts half a
 * rank, so that the result is the mean rank over all orders of the tied items.
 */
export function rankOf(
  scores: Float64Array,
  item: number,
  includes: (item: number) => boolean = () => true,
): number {
  const score = scores[item];
  let above = 0;
  let equal = 0;
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] < score || i === item || !includes(i)) continue;
    if (scores[i] > score) above++;
    else equal++;
  }
  return 1 + above + equal / 2;
}
