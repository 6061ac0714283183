import { type Cell, cellStub } from "../../../durable-objects/cell.ts";
import { addressOfProduct } from "../../../model/retrieval/cell-state.ts";
import type { ProductChange } from "../../../shared/contracts/product.ts";
import type { ProductTotals, Transition, UnknownProduct } from "../../../shared/contracts/totals.ts";
import { type Addressed, applyInHoldingCells } from "./holding-cells.ts";

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
  return applyInHoldingCells(application, changesByAddress(changes), (cell, told) =>
    cellStub(cells, application, cell).apply(
      application,
      cell,
      told.flatMap((each) => ("arriving" in each ? [each.arriving] : [])),
      told.flatMap((each) => ("leaving" in each ? [each.leaving] : [])),
    ),
  );
}

/** A product moves at most so often on between what is known of it and what is true. */
const maxMoves = 4;

type Located = ProductTotals & { cell: string };

/**
 * Tells the cells what people did; what is whole follows a product to where it moved. Answers how many interactions were news, and
 * of which products the cells must know more.
 */
export async function applyTotals(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  totals: readonly Located[],
  transitions: readonly (Transition & { fromCell: string })[],
): Promise<{ applied: number; unknown: UnknownProduct[] }> {
  const wholes = new Map(totals.flatMap((each) => (each.whole ? [[each.productId, each] as const] : [])));
  let { applied, unknown } = await tellTotals(cells, application, totals, transitions);
  for (let moves = 1; moves < maxMoves; moves++) {
    const moved = unknown.flatMap(({ productId, cell }): Located[] => {
      const whole = wholes.get(productId);
      return whole ? [{ ...whole, cell }] : [];
    });
    if (moved.length === 0) break;
    const further = await tellTotals(cells, application, moved, []);
    applied += further.applied;
    unknown = [...unknown.filter(({ productId }) => !wholes.has(productId)), ...further.unknown];
  }
  return { applied, unknown };
}

async function tellTotals(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  totals: readonly Located[],
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
  const applied = await applyInHoldingCells(application, told, async (cell, part) => {
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
