import { decodeColumns } from "../columns/columns.ts";
import { ColumnsBuilder, type ColumnsRow } from "../columns/columns-builder.ts";
import { columnWidth } from "../columns/layout.ts";
import type { BlockRow } from "../features/list-summary.ts";

/** What rules read of a product that a page before showed. */
export type ShownProductRow = Pick<
  ColumnsRow,
  "productId" | "category" | "lat" | "lon" | "priceMinor" | "currency" | "discount" | "rating" | "groupId"
> &
  Pick<ColumnsRow, "optional">;

/** Returns products of pages before as rows of a block, in their order. */
export function shownRowsOf(products: readonly ShownProductRow[]): BlockRow[] {
  if (products.length === 0) return [];
  const builder = new ColumnsBuilder(products.length);
  for (const product of products)
    builder.addRow({
      ...product,
      ...{ title: "", cell: "", version: 1, createdAt: 0, lastTime: 0, available: true },
      counts: new Array<number>(columnWidth.counts).fill(0),
      hot: new Array<number>(columnWidth.hot).fill(0),
      ...{ hours: [], weekdays: [], nextProducts: [] },
    });
  const block = decodeColumns(builder.finish({ cell: "", version: 1, time: 0, children: [] }));
  if (block === null) throw new Error("a block that was just built cannot be read");
  return products.map((_, row) => ({ block, row }));
}
