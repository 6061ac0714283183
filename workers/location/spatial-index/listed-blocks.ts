import type { ChildBlock, Columns } from "../../../model/columns/columns.ts";
import { unpackColumns } from "../../../model/columns/columns.ts";
import { ColumnsBuilder } from "../../../model/columns/columns-builder.ts";
import { parentCell } from "../../../shared/geo/cells.ts";

const cachedBlocks = new WeakMap<Columns, Map<string, ChildBlock>>();
const cachedTiles = new WeakMap<ChildBlock, Columns>();

/** Returns what a parent's tile says of the cells below it, by cell: its children, the leaves of split ones, and cells between. */
export function listedBlocks(tile: Columns): ReadonlyMap<string, ChildBlock> {
  let blocks = cachedBlocks.get(tile);
  if (!blocks) {
    blocks = new Map();
    for (const child of tile.meta.children) {
      blocks.set(child.cell, child);
      for (const leaf of child.leaves ?? []) {
        blocks.set(leaf.cell, leaf);
        for (
          let cell = parentCell(leaf.cell);
          cell !== null && cell !== child.cell;
          cell = parentCell(cell)
        ) {
          const leaves = blocks.get(cell)?.leaves ?? [];
          blocks.set(cell, { ...child, cell, leaves: [...leaves, leaf] });
        }
      }
    }
    cachedBlocks.set(tile, blocks);
  }
  return blocks;
}

/** Returns a tile without products that leads to the leaves of a split cell. */
export function tileOfSplitCell(block: ChildBlock): Columns {
  let tile = cachedTiles.get(block);
  if (!tile) {
    const { cell, version, leaves } = block;
    const built = unpackColumns(
      new ColumnsBuilder(0).finish({ cell, version, time: 0, children: leaves ?? [] }),
    );
    if (!built)
      throw new Error(`the tile of the split cell ${cell} does not decode: this is a bug in the builder`);
    tile = built;
    cachedTiles.set(block, tile);
  }
  return tile;
}
