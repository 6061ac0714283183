import type { ProductRef } from "../../shared/contracts/retrieval.ts";
import { leafCell, nextCellToward } from "../../shared/geo/cells.ts";
import type { Columns } from "../columns/columns.ts";
import { concatRows } from "../columns/concat-rows.ts";
import { hash53 } from "../columns/hash.ts";
import { ProductMap } from "../columns/product-map.ts";
import { rowOfProduct } from "../columns/row-index.ts";
import { applySales } from "../columns/sale.ts";
import type { TileSource } from "./tile-source.ts";

/** Finds products that have moved out of the cell in which a caller last saw them. */
export interface ForwardingLookup {
  /** Returns the cell to which a product moved from `cell`; null if the cell knows of no move. */
  forwardingCell(cell: string, productId: string): Promise<string | null>;
}

/** Moves of a product that a lookup follows, at most. */
const maxMoves = 4;

/**
 * Returns the row of a product: it descends the path of the product's address to a leaf tile, and follows moves from
 * there. Returns null for a product that it does not find.
 */
async function findProduct(
  source: ForwardingLookup,
  tileOf: (cell: string) => Promise<Columns | null>,
  { productId, cell }: ProductRef,
): Promise<{ block: Columns; row: number } | null> {
  const hash = hash53(productId);
  let address = cell;
  for (let moves = 0; moves < maxMoves; moves++) {
    let holder = leafCell(address);
    let block = await tileOf(holder);
    while (block && block.meta.children.length > 0) {
      const next = nextCellToward(holder, address, hash);
      if (next === null) return null;
      holder = next;
      block = await tileOf(holder);
    }
    const row = block ? rowOfProduct(block, productId) : undefined;
    if (block && row !== undefined) return { block, row };
    const to = await source.forwardingCell(holder, productId);
    if (to === null || to === address) return null;
    address = to;
  }
  return null;
}

/**
 * Returns the columns of the `wanted` products, each once and in this order, as of `now` (seconds since the epoch). It
 * leaves out products that it does not find. The first `withNextProducts` products keep their next products; none keeps
 * its address.
 */
export async function productColumns(
  source: TileSource & ForwardingLookup,
  wanted: readonly ProductRef[],
  now: number,
  withNextProducts: number,
): Promise<Columns> {
  const tiles = new Map<string, Promise<Columns | null>>();
  const tileOf = (cell: string): Promise<Columns | null> => {
    const tile = tiles.get(cell) ?? source.tile(cell);
    tiles.set(cell, tile);
    return tile;
  };
  const found = await Promise.all(wanted.map((each) => findProduct(source, tileOf, each)));
  const blocks: Columns[] = [];
  const indexOf = new Map<Columns, number>();
  const seen = new ProductMap<true>(found.length);
  const from: number[] = [];
  const rows: number[] = [];
  let rowsWithNextProducts = 0;
  for (const [i, each] of found.entries()) {
    if (!each || seen.get(each.block, each.row)) continue;
    seen.set(each.block, each.row, true);
    let at = indexOf.get(each.block);
    if (at === undefined) {
      at = blocks.push(each.block) - 1;
      indexOf.set(each.block, at);
    }
    from.push(at);
    rows.push(each.row);
    if (i < withNextProducts) rowsWithNextProducts = rows.length;
  }
  const columns = concatRows(
    { blocks, from, rows, count: rows.length },
    { cell: "", version: 0, time: now, children: [] },
    { addresses: false, nextProducts: rowsWithNextProducts },
  );
  applySales(columns, now);
  return columns;
}
