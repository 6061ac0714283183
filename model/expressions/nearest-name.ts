/**
 * Returns how many characters must be inserted, removed, replaced or swapped with the next to make one text of the other
 * (optimal string alignment).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

/** Longest name that is compared: the work grows with the product of both lengths. */
const maxComparedLength = 128;

const lastPart = (name: string): string => name.slice(name.lastIndexOf(".") + 1);

/**
 * Returns the known name that is most like an unknown one; undefined if none is. Names are compared as a whole and by
 * their last part, so that `price` finds `product.price`. A character in another case counts half.
 */
export function nearestName(unknown: string, known: Iterable<string>): string | undefined {
  if (unknown.length > maxComparedLength) return undefined;
  const distanceOf = (a: string, b: string): number =>
    (editDistance(a, b) + editDistance(a.toLowerCase(), b.toLowerCase())) / 2;
  let nearest: string | undefined;
  let smallest = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const [ownPart, part] = [lastPart(unknown), lastPart(name)];
    // The whole name decides between two names with the same last part.
    const whole = distanceOf(unknown, name);
    const byPart = distanceOf(ownPart, part);
    const isLike =
      whole <= Math.max(2, unknown.length / 3) || byPart <= Math.min(2, Math.max(1, ownPart.length / 3));
    const distance = Math.min(whole, byPart + 0.5) + whole / 1000;
    if (!isLike || distance >= smallest) continue;
    smallest = distance;
    nearest = name;
  }
  return nearest;
}
