import { holdsProducts, nextCellToward } from "../../shared/geo/cells.ts";
import { unitVectors } from "../../shared/geo/sphere.ts";
import type { ChildBlock, Columns } from "../columns/columns.ts";
import { hash53 } from "../columns/hash.ts";

/** The cells below a parent tile that a search reads next. */
export interface SearchedChildren {
  /** The children; in the place of a child that has split, the leaves that the tile lists for it. */
  blocks: readonly ChildBlock[];
  /** Unit vectors of the centers of the blocks. */
  centers: Float64Array;
  /** Whether each block is a parent by its level: a cell that never holds products itself. */
  isParent: readonly boolean[];
}

const cached = new WeakMap<Columns, SearchedChildren>();

/** Returns the cells below a parent tile that a search reads next. They are cached per tile. */
export function searchedChildren(tile: Columns): SearchedChildren {
  let children = cached.get(tile);
  if (!children) {
    const blocks = tile.meta.children.flatMap((child) => child.leaves ?? [child]);
    children = {
      blocks,
      centers: unitVectors(
        blocks.map(({ lat }) => lat),
        blocks.map(({ lon }) => lon),
        blocks.length,
      ),
      isParent: blocks.map(({ cell }) => !holdsProducts(cell)),
    };
    cached.set(tile, children);
  }
  return children;
}

/** Returns the leaf that holds a row of a parent tile, below a split child that lists its leaves; null if none does. */
export function leafOfRow(tile: Columns, row: number, { cell: child, leaves }: ChildBlock): string | null {
  const names = new Set(leaves?.map(({ cell }) => cell));
  const address = tile.strings[tile.cell[row]];
  const hash = hash53(tile.id(row));
  let cell: string | null = child;
  while (cell !== null && !names.has(cell)) cell = nextCellToward(cell, address, hash);
  return cell;
}
