import type { ProductRange } from "../contracts/rebuild.ts";
import { addressRange } from "./cells.ts";

/** Whether a product at an address lies in a range: products are ordered by address, then by id. */
export const isInProductRange = ({ after, upTo }: ProductRange, cell: string, productId: string): boolean =>
  (after === null || cell > after.cell || (cell === after.cell && productId > after.productId)) &&
  (upTo === null || cell < upTo.cell || (cell === upTo.cell && productId <= upTo.productId));

/** Whether products of a cell may lie in a range. */
export function cellOverlapsRange({ after, upTo }: ProductRange, cell: string): boolean {
  const { first, last } = addressRange(cell);
  return (after === null || last >= after.cell) && (upTo === null || first <= upTo.cell);
}

/** Whether, of ranges that follow each other, this is the first that has to do with a cell. */
export const isFirstRangeOfCell = ({ after }: ProductRange, cell: string): boolean =>
  after === null || after.cell < addressRange(cell).first;
