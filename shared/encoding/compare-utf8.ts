/** Returns a code unit such that comparing these numbers orders texts by code point: surrogates come last. */
const rankOf = (unit: number): number =>
  unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit;

/**
 * Compares two texts by their bytes in UTF-8, which is the order of SQLite. `<` compares UTF-16 code units, and so puts
 * U+1F600 before U+FF5E. Returns a negative number, 0 or a positive number.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = rankOf(a.charCodeAt(i)) - rankOf(b.charCodeAt(i));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
