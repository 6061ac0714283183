import { holdsProducts } from "../../shared/geo/cells.ts";
import { sealBlock } from "../columns/block.ts";
import { type ChildBlock, type Columns, decodeColumns, maxListedLeaves } from "../columns/columns.ts";
import { ColumnsBuilder } from "../columns/columns-builder.ts";
import { concatRows, type KeptParts } from "../columns/concat-rows.ts";
import { topIndices } from "../retrieval/top-indices.ts";
import { capOfChildren, capOfRows } from "./bounding-cap.ts";
import { type CellProduct, columnsRowOf } from "./cell-product.ts";
import { mergeContent, summarizeContent } from "./content-summary.ts";
import { popularityScore } from "./engagement.ts";

/** Builds the tile of a leaf cell, as of `time` (seconds since the epoch). */
export function buildLeafTile(
  cell: string,
  version: number,
  time: number,
  products: Iterable<CellProduct>,
  offsetAt: (time: number) => number,
): ArrayBuffer {
  const rows = Array.from(products, (product) => columnsRowOf(product, time, offsetAt));
  const builder = new ColumnsBuilder(rows.length);
  for (const row of rows) builder.addRow(row);
  return builder.finish({ cell, version, time, children: [] });
}

/** Rows that a child's summary contains, at most. */
export const maxSummaryRows = 100;
/** Rows that a parent tile contains, at most. */
export const maxParentRows = 400;
/** What the rows of summaries and parent tiles keep: readers of a parent tile have no use for next products. */
const keptParts: KeptParts = { addresses: true, nextProducts: 0 };

/** Summary of a tile for its parent tile: entry in the parent's index, and the most popular rows. */
export interface ChildSummary {
  block: ChildBlock;
  /** Encoded columns. */
  bestRows: ArrayBuffer;
}

/** Returns the leaves below a split cell with these children; null if there are too many, or a child does not list its own. */
function leavesBelow(children: readonly ChildBlock[]): ChildBlock[] | null {
  const leaves: ChildBlock[] = [];
  for (const child of children) {
    if (child.leaves === null) return null;
    leaves.push(...(child.leaves ?? [child]));
  }
  return leaves.length > maxListedLeaves ? null : leaves;
}

/** Returns the summary of a tile for its parent; null for an empty tile. */
export function summarizeTile(tile: Columns): ChildSummary | null {
  const { cell, version, time, children } = tile.meta;
  const count = children.length > 0 ? children.reduce((sum, child) => sum + child.count, 0) : tile.count;
  if (count === 0) return null;
  const rows = popularRows(tile, maxSummaryRows);
  const list = { blocks: [tile], from: rows.map(() => 0), rows, count: rows.length };
  return {
    block: {
      cell,
      count,
      version,
      ...(children.length > 0 ? capOfChildren(children) : capOfRows(tile)),
      content:
        children.length > 0 ? mergeContent(children.map(({ content }) => content)) : summarizeContent(tile),
      ...(children.length > 0 && holdsProducts(cell) ? { leaves: leavesBelow(children) } : {}),
    },
    bestRows: sealBlock(concatRows(list, { cell, version, time, children: [] }, keptParts).buffer),
  };
}

/** Score that ranks an unavailable product below every available one. */
const unavailablePenalty = 1000;

/** Returns the `limit` most popular rows, the available ones first. */
function popularRows(tile: Columns, limit: number): number[] {
  const scores = Float64Array.from(
    tile.idHash,
    (_, row) => popularityScore(tile, row) - (tile.available[row] ? 0 : unavailablePenalty),
  );
  return topIndices(scores, tile.count, limit);
}

/** Builds the tile of a parent cell: an index of its children, and the most popular of their best rows. */
export function buildParentTile(
  cell: string,
  version: number,
  time: number,
  summaries: readonly ChildSummary[],
): ArrayBuffer {
  const blocks = summaries.map(({ bestRows }) => {
    const block = decodeColumns(bestRows);
    if (!block) throw new Error(`a child of cell ${cell} reported rows that are not a valid block`);
    return block;
  });
  const rows = blocks.flatMap((block, from) =>
    Array.from({ length: block.count }, (_, row) => ({ from, row, score: popularityScore(block, row) })),
  );
  const best = topIndices(
    rows.map(({ score }) => score),
    rows.length,
    maxParentRows,
  ).map((i) => rows[i]);
  const list = {
    blocks,
    from: best.map(({ from }) => from),
    rows: best.map(({ row }) => row),
    count: best.length,
  };
  const children = summaries.map((summary) => summary.block);
  const meta = { cell, version, time, children, childOfRow: list.from };
  return sealBlock(concatRows(list, meta, keptParts).buffer);
}
