import type { Columns } from "./columns.ts";

const decoder = new TextDecoder();

/**
 * Returns whether a row holds the product `productId`. A hash finds a row, and this function decides: two ids may have
 * the same hash. It compares bytes, and decodes them only for ids that are not ASCII.
 */
export function hasProductId({ text, textStart }: Columns, row: number, productId: string): boolean {
  const start = textStart[row];
  const end = textStart[row + 1];
  if (end - start < productId.length) return false;
  let at = start;
  for (let i = 0; i < productId.length; i++, at++) {
    const unit = productId.charCodeAt(i);
    if (unit > 0x7f || text[at] > 0x7f) return decoder.decode(text.subarray(start, end)) === productId;
    if (text[at] !== unit) return false;
  }
  return at === end;
}

/** Returns whether two rows hold the same product. */
export function isSameProduct(a: Columns, rowA: number, b: Columns, rowB: number): boolean {
  if (a.idHash[rowA] !== b.idHash[rowB]) return false;
  const startA = a.textStart[rowA];
  const startB = b.textStart[rowB];
  const length = a.textStart[rowA + 1] - startA;
  if (b.textStart[rowB + 1] - startB !== length) return false;
  for (let i = 0; i < length; i++) if (a.text[startA + i] !== b.text[startB + i]) return false;
  return true;
}

/** Returns the order of two rows with the same score: by the hash of their products, then by their ids. */
export const compareProductIds = (a: Columns, rowA: number, b: Columns, rowB: number): number =>
  a.idHash[rowA] - b.idHash[rowB] || (a.id(rowA) < b.id(rowB) ? -1 : a.id(rowA) > b.id(rowB) ? 1 : 0);
