import { type Cell, cellOf } from "../../durable-objects/cell.ts";
import { addressOfProduct } from "../../model/retrieval/cell-state.ts";
import type { ProductChange } from "../shared/contracts/product.ts";
import type { ProductTotals, Transition } from "../shared/contracts/totals.ts";
import { type Addressed, tellHolders } from "./holders.ts";

type Leaving = { productId: string; version: number; to: string | null };

/** What a cell is told of a product: that it is there now, or that it was and is elsewhere. */
type Told = Addressed & ({ arriving: ProductChange } | { leaving: Leaving });

/** Changes by the addresses that they concern: where a product is, and where it was. */
export function changesByAddress(changes: readonly ProductChange[]): Told[] {
  return changes.flatMap((change): Told[] => {
    const { productId, version, previousCell, deleted } = change;
    const cell = addressOfProduct(change);
    const here: Told = deleted
      ? { cell, productId, leaving: { productId, version, to: null } }
      : { cell, productId, arriving: change };
    if (previousCell === null || previousCell === cell) return [here];
    return [
      here,
      { cell: previousCell, productId, leaving: { productId, version, to: deleted ? null : cell } },
    ];
  });
}

/** Tells the cells what changed in the catalogue. Answers how many rows changed. */
export function applyChanges(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  changes: readonly ProductChange[],
): Promise<number> {
  return tellHolders(application, changesByAddress(changes), (cell, told) =>
    cellOf(cells, application, cell).apply(
      application,
      cell,
      told.flatMap((each) => ("arriving" in each ? [each.arriving] : [])),
      told.flatMap((each) => ("leaving" in each ? [each.leaving] : [])),
    ),
  );
}

/** Tells the cells what people did. Answers how many interactions were news. */
export function applyTotals(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  totals: readonly (ProductTotals & { cell: string })[],
  transitions: readonly (Transition & { fromCell: string })[],
): Promise<number> {
  const told = [
    ...totals.map(({ cell, ...each }) => ({ cell, productId: each.productId, totals: [each], steps: [] })),
    ...transitions.map(({ fromCell, ...each }) => ({
      cell: fromCell,
      productId: each.from,
      totals: [],
      steps: [each],
    })),
  ];
  return tellHolders(application, told, (cell, part) =>
    cellOf(cells, application, cell).applyTotals(
      application,
      cell,
      part.flatMap((each) => each.totals),
      part.flatMap((each) => each.steps),
    ),
  );
}
