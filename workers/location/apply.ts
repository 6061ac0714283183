import { cellOf } from "../../durable-objects/cell.ts";
import { hash53 } from "../../model/columns/hash.ts";
import type { ProductChange } from "../shared/contracts/product.ts";
import type { ProductTotals, Transition } from "../shared/contracts/totals.ts";
import { leafCellOf } from "../shared/geo/cells.ts";

/** What one cell is told. */
interface CellChanges {
  arriving: ProductChange[];
  leaving: { productId: string; version: number; to: string | null }[];
}

/** Changes by the cells that they concern: where a product is, and where it was. */
export function changesByCell(changes: readonly ProductChange[]): Map<string, CellChanges> {
  const cells = new Map<string, CellChanges>();
  const of = (cell: string): CellChanges => {
    const known = cells.get(cell) ?? { arriving: [], leaving: [] };
    cells.set(cell, known);
    return known;
  };
  for (const change of changes) {
    const { productId, version, previousCell, deleted } = change;
    const cell = leafCellOf(change.location, hash53(productId));
    if (deleted) of(cell).leaving.push({ productId, version, to: null });
    else of(cell).arriving.push(change);
    if (previousCell !== null && previousCell !== cell)
      of(previousCell).leaving.push({ productId, version, to: deleted ? null : cell });
  }
  return cells;
}

/** Cells told at the same time: one request may hold few connections. */
const cellsAtOnce = 6;

/** Does work cell by cell, some at a time; the sum of its answers. */
export async function inTurn<T>(items: T[], work: (item: T) => Promise<number>): Promise<number> {
  let sum = 0;
  for (let i = 0; i < items.length; i += cellsAtOnce)
    for (const part of await Promise.all(items.slice(i, i + cellsAtOnce).map(work))) sum += part;
  return sum;
}

/** Tells the cells what changed in the catalogue. Answers how many rows changed. */
export function applyChanges(
  cells: LocationEnv["CELL"],
  application: string,
  changes: readonly ProductChange[],
): Promise<number> {
  return inTurn([...changesByCell(changes)], ([cell, { arriving, leaving }]) =>
    cellOf(cells, application, cell).apply(application, cell, arriving, leaving),
  );
}

/** Tells the cells what people did. Answers how many interactions were news. */
export function applyTotals(
  cells: LocationEnv["CELL"],
  application: string,
  totals: readonly (ProductTotals & { cell: string })[],
  transitions: readonly (Transition & { fromCell: string })[],
): Promise<number> {
  const byCell = new Map<string, { totals: ProductTotals[]; transitions: Transition[] }>();
  const of = (cell: string) => {
    const known = byCell.get(cell) ?? { totals: [], transitions: [] };
    byCell.set(cell, known);
    return known;
  };
  for (const { cell, ...each } of totals) of(cell).totals.push(each);
  for (const { fromCell, ...each } of transitions) of(fromCell).transitions.push(each);
  return inTurn([...byCell], ([cell, part]) =>
    cellOf(cells, application, cell).applyTotals(application, cell, part.totals, part.transitions),
  );
}
