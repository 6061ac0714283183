import { type Columns, decodeColumns } from "../../model/columns/columns.ts";
import { concatRows } from "../../model/columns/concat-rows.ts";
import { hash53 } from "../../model/columns/hash.ts";
import { compileProductTest } from "../../model/retrieval/filter.ts";
import { demoSize, simulate } from "../../model/simulate/simulate.ts";
import { buildLeafTile } from "../../model/tiles/build-tiles.ts";
import { demoDetails, demoSchema } from "../../scripts/marketplace/demo-details.ts";
import { catalogSchemaInput } from "../../shared/contracts/catalog-schema.ts";
import type { ColumnValue } from "../../shared/contracts/column-value.ts";
import { nearestMinorUnits } from "../../shared/contracts/minor-units.ts";
import type { ProductChange } from "../../shared/contracts/product.ts";
import { productInput } from "../../shared/contracts/product.ts";
import { addressOf } from "../../shared/geo/cells.ts";
import { columnValuesOf } from "../../workers/product/column-values.ts";
import { storedDetailsOf } from "../../workers/product/stored-details.ts";
import type { BenchContext } from "../context.ts";
import { measureMicroseconds } from "../timing.ts";

const rowCount = 4000;
const candidateCount = 500;
const now = Date.UTC(2026, 0, 5, 12) / 1000;
const runs = { warmUp: 50, runs: 400, seconds: 8 };

/** Sixteen declared numbers, which each product has: the most that a schema allows. */
const manyNumbers: ColumnValue[] = Array.from({ length: 16 }, (_, i) => ({
  name: `attributes.number${i}`,
  type: "number",
  value: i,
}));

/** Measures what optional columns add to the bytes of a tile, to a filter, and to the copy of candidates. */
export async function measureColumns(context: BenchContext): Promise<void> {
  const declared = catalogSchemaInput.parse(demoSchema).attributes;
  const { dataset } = simulate({ ...demoSize, users: 2, events: 10 }, 1, now);
  const items = [...dataset.items.values()].slice(0, rowCount);
  const tileOf = (columnsOf: (item: (typeof items)[number]) => ColumnValue[]): Columns => {
    const products = items.map((item) => {
      const location = item.lat === null || item.lon === null ? null : { lat: item.lat, lon: item.lon };
      const change: ProductChange = {
        ...{ productId: item.id, version: 1, deleted: false, title: item.title, category: item.category },
        priceMinor: item.price === null ? null : nearestMinorUnits(item.price, item.currency),
        ...{ currency: item.currency, discount: item.discount, rating: item.rating, available: true },
        ...{ groupId: null, location, previousCell: null, createdAt: now, columns: columnsOf(item) },
      };
      return { change, cell: addressOf(location, hash53(item.id)), hours: [], nextProducts: [] };
    });
    const tile = decodeColumns(buildLeafTile("861f05a37ffffff", 1, now, products, () => 0));
    if (!tile) throw new Error("a fresh tile must decode");
    return tile;
  };
  const detailsOf = (item: (typeof items)[number]): ColumnValue[] => {
    const input = productInput.parse({ id: item.id, title: item.title, ...demoDetails(item, now) });
    const row = {
      details: storedDetailsOf(input),
      attributes: input.attributes,
      lat: item.lat,
      lon: item.lon,
    };
    return columnValuesOf(row, declared);
  };
  const bare = tileOf(() => []);
  const tiles = {
    "without optional columns": bare,
    "of the demo": tileOf(detailsOf),
    "of the demo with 16 numbers": tileOf((item) => [...detailsOf(item), ...manyNumbers]),
  };
  for (const [name, tile] of Object.entries(tiles)) {
    const bytes = Math.round(tile.buffer.byteLength / tile.count);
    context.addNote(
      `columns: products ${name}: ${bytes} bytes a row of a tile, ${tile.optional.length} optional columns`,
    );
    const { row: test } = compileProductTest({
      point: items[0] as { lat: number; lon: number },
      filter: {},
      now,
    });
    const scan = await measureMicroseconds(() => {
      let matches = 0;
      for (let row = 0; row < tile.count; row++) if (test(tile, row)) matches++;
      return matches;
    }, runs);
    const rows = Array.from({ length: candidateCount }, (_, i) => (i * 7) % tile.count);
    const list = { blocks: [tile], from: rows.map(() => 0), rows, count: rows.length };
    const copy = await measureMicroseconds(
      () =>
        concatRows(
          list,
          { cell: "", version: 0, time: now, children: [] },
          { addresses: false, nextProducts: 0 },
        ),
      runs,
    );
    const common = { section: "columns" as const, unit: "us" as const, baseline: null, limit: null };
    context.figures.push({ ...common, name: `test of ${rowCount} rows ${name}`, ...scan });
    context.figures.push({ ...common, name: `copy of ${candidateCount} candidates ${name}`, ...copy });
  }
}
