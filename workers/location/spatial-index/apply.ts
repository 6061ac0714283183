import { cellStub } from "../../../durable-objects/cell/cell-stub.ts";
import type { Cell } from "../../../durable-objects/cell.ts";
import { addressOfProduct } from "../../../model/retrieval/cell-product.ts";
import type { ProductChange } from "../../../shared/contracts/product.ts";
import type { ProductTotals, Transition, UnknownProduct } from "../../../shared/contracts/totals.ts";
import { type AddressedProduct, applyToOwningCells } from "./owning-cells.ts";

type Departure = { productId: string; version: number; to: string | null };

/** What a cell is told of a product: that it is there now, or that it was and is elsewhere. */
type CellUpdate = AddressedProduct & ({ arriving: ProductChange } | { leaving: Departure });

/** Changes by the addresses that they concern: where a product is, and where it was. */
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

/** Tells the cells what changed in the catalogue. Answers how many rows changed. */
export function applyChanges(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  changes: readonly ProductChange[],
): Promise<number> {
  return applyToOwningCells(application, cellUpdatesOf(changes), (cell, told) =>
    cellStub(cells, application, cell).applyChanges(
      application,
      cell,
      told.flatMap((each) => ("arriving" in each ? [each.arriving] : [])),
      told.flatMap((each) => ("leaving" in each ? [each.leaving] : [])),
    ),
  );
}

/** A product moves at most so often on between what is known of it and what is true. */
const maxMoves = 4;

type AddressedTotals = ProductTotals & { cell: string };

/**
 * Tells the cells what people did; what is whole follows a product to where it moved. Answers how many interactions were news, and
 * of which products the cells must know more.
 */
export async function applyTotals(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  totals: readonly AddressedTotals[],
  transitions: readonly (Transition & { fromCell: string })[],
): Promise<{ applied: number; unknown: UnknownProduct[] }> {
  const wholes = new Map(totals.flatMap((each) => (each.complete ? [[each.productId, each] as const] : [])));
  let { applied, unknown } = await sendTotals(cells, application, totals, transitions);
  for (let moves = 1; moves < maxMoves; moves++) {
    const moved = unknown.flatMap(({ productId, cell }): AddressedTotals[] => {
      const whole = wholes.get(productId);
      return whole ? [{ ...whole, cell }] : [];
    });
    if (moved.length === 0) break;
    const further = await sendTotals(cells, application, moved, []);
    applied += further.applied;
    unknown = [...unknown.filter(({ productId }) => !wholes.has(productId)), ...further.unknown];
  }
  return { applied, unknown };
}

async function sendTotals(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  totals: readonly AddressedTotals[],
  transitions: readonly (Transition & { fromCell: string })[],
): Promise<{ applied: number; unknown: UnknownProduct[] }> {
  const told = [
    ...totals.map(({ cell, ...each }) => ({ cell, productId: each.productId, totals: [each], steps: [] })),
    ...transitions.map(({ fromCell, ...each }) => ({
      cell: fromCell,
      productId: each.from,
      totals: [],
      steps: [each],
    })),
  ];
  const unknown: UnknownProduct[] = [];
  const applied = await applyToOwningCells(application, told, async (cell, part) => {
    const taken = await cellStub(cells, application, cell).applyTotals(
      application,
      cell,
      part.flatMap((each) => each.totals),
      part.flatMap((each) => each.steps),
    );
    if (taken === null) return null;
    const addresses = new Map(part.map((each) => [each.productId, each.cell]));
    for (const { productId, movedTo } of taken.unknown) {
      const address = movedTo ?? addresses.get(productId);
      if (address !== undefined) unknown.push({ productId, cell: address });
    }
    return taken.counted;
  });
  return { applied, unknown };
}
