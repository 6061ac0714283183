/** The first positions of ranges that are examined alike: each of the first ten, then wider ones. */
export const rangeStarts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 21, 31, 51] as const;
export const rangeCount = rangeStarts.length;

/** Returns the index of the range that contains a position (from 1). */
export function rangeOf(position: number): number {
  let range = rangeCount - 1;
  while (range > 0 && rangeStarts[range] > position) range--;
  return range;
}
