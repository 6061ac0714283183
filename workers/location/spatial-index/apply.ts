import type { Cell } from "../../../durable-objects/cell/cell.ts";
import { cellStub } from "../../../durable-objects/cell/cell-stub.ts";
import { addressOfProduct } from "../../../model/tiles/cell-product.ts";
import type { ProductChange } from "../../../shared/contracts/product.ts";
import type { ProductTotals, Transition, UnknownProduct } from "../../../shared/contracts/totals.ts";
import { type AddressedProduct, applyToOwningCells } from "./owning-cells.ts";

/** A product that was deleted (`to` is null) or moved to another address. */
type Departure = { productId: string; version: number; to: string | null };

/** An update for one cell: a product is in it, or has left it. */
type CellUpdate = AddressedProduct & ({ arriving: ProductChange } | { leaving: Departure });

/**
 * Returns the cell updates of the changes: one for a product's address, and one for its previous address if it moved.
 */
export function cellUpdatesOf(changes: readonly ProductChange[]): CellUpdate[] {
  return changes.flatMap((change): CellUpdate[] => {
    const { productId, version, previousCell, deleted } = change;
    const cell = addressOfProduct(change);
    const here: CellUpdate = deleted
      ? { cell, productId, leaving: { productId, version, to: null } }
      : { cell, productId, arriving: change };
    if (previousCell === null || previousCell === cell) return [here];
    return [
      here,
      { cell: previousCell, productId, leaving: { productId, version, to: deleted ? null : cell } },
    ];
  });
}

/** Applies catalog changes to the cells. Returns the number of changes that were new to a cell. */
export function applyChanges(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  changes: readonly ProductChange[],
): Promise<number> {
  return applyToOwningCells(application, cellUpdatesOf(changes), (cell, updates) =>
    cellStub(cells, application, cell).applyChanges(
      application,
      cell,
      updates.flatMap((each) => ("arriving" in each ? [each.arriving] : [])),
      updates.flatMap((each) => ("leaving" in each ? [each.leaving] : [])),
    ),
  );
}

/**
 * Largest number of rounds of calls for the same totals: each further round follows moves that the caller did not know.
 */
const maxRounds = 4;

type AddressedTotals = ProductTotals & { cell: string };

/**
 * Applies totals and transitions to the cells. Complete totals follow a product to the cell that it moved to. Returns
 * how many interactions were new, and the products whose complete hours the cells need.
 */
export async function applyTotals(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  totals: readonly AddressedTotals[],
  transitions: readonly (Transition & { fromCell: string })[],
): Promise<{ applied: number; unknown: UnknownProduct[] }> {
  const completeTotals = new Map(
    totals.flatMap((each) => (each.complete ? [[each.productId, each] as const] : [])),
  );
  let { applied, unknown } = await sendTotals(cells, application, totals, transitions);
  for (let round = 1; round < maxRounds; round++) {
    const moved = unknown.flatMap(({ productId, cell }): AddressedTotals[] => {
      const productTotals = completeTotals.get(productId);
      return productTotals ? [{ ...productTotals, cell }] : [];
    });
    if (moved.length === 0) break;
    const result = await sendTotals(cells, application, moved, []);
    applied += result.applied;
    unknown = [...unknown.filter(({ productId }) => !completeTotals.has(productId)), ...result.unknown];
  }
  return { applied, unknown };
}

/** Sends totals and transitions to the owning cells once, without following moved products. */
async function sendTotals(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  totals: readonly AddressedTotals[],
  transitions: readonly (Transition & { fromCell: string })[],
): Promise<{ applied: number; unknown: UnknownProduct[] }> {
  const items = [
    ...totals.map(({ cell, ...each }) => ({
      cell,
      productId: each.productId,
      totals: [each],
      transitions: [],
    })),
    ...transitions.map(({ fromCell, ...each }) => ({
      cell: fromCell,
      productId: each.from,
      totals: [],
      transitions: [each],
    })),
  ];
  const unknown: UnknownProduct[] = [];
  const applied = await applyToOwningCells(application, items, async (cell, cellItems) => {
    const result = await cellStub(cells, application, cell).applyTotals(
      application,
      cell,
      cellItems.flatMap((each) => each.totals),
      cellItems.flatMap((each) => each.transitions),
    );
    if (result === null) return null;
    const addresses = new Map(cellItems.map((each) => [each.productId, each.cell]));
    for (const { productId, movedTo } of result.unknown) {
      const address = movedTo ?? addresses.get(productId);
      if (address !== undefined) unknown.push({ productId, cell: address });
    }
    return result.counted;
  });
  return { applied, unknown };
}
