import type { ProductRange } from "../contracts/rebuild.ts";
import { addressRange } from "./cells.ts";

/** Returns whether a product is in a range. Products are ordered by address (`cell`), then by id. */
export const isInProductRange = ({ after, upTo }: ProductRange, cell: string, productId: string): boolean =>
  (after === null || cell > after.cell || (cell === after.cell && productId > after.productId)) &&
  (upTo === null || cell < upTo.cell || (cell === upTo.cell && productId <= upTo.productId));

/** Returns whether products of a cell may be in a range. */
export function cellOverlapsRange({ after, upTo }: ProductRange, cell: string): boolean {
  const { first, last } = addressRange(cell);
  return (after === null || last >= after.cell) && (upTo === null || first <= upTo.cell);
}

/** Returns whether a range is the first of consecutive ranges that overlaps a cell. */
export const isFirstRangeOfCell = ({ after }: ProductRange, cell: string): boolean =>
  after === null || after.cell < addressRange(cell).first;
