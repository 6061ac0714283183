/**
 * Returns how diverse a list is: the pairs of products of different categories, as a share of all pairs; 0 for a list of
 * fewer than two products. Null as category is a category of its own.
 */
export function listDiversity(categories: readonly (string | null)[]): number {
  const counts = new Map<string | null, number>();
  for (const category of categories) counts.set(category, (counts.get(category) ?? 0) + 1);
  const pairs = (n: number): number => (n * (n - 1)) / 2;
  if (categories.length < 2) return 0;
  const same = [...counts.values()].reduce((sum, count) => sum + pairs(count), 0);
  return 1 - same / pairs(categories.length);
}
