import { afterAll, beforeAll, expect, it } from "vitest";
import { type Columns, decodeColumns, nextProductsOf } from "../model/columns/columns.ts";
import { columnLayout } from "../model/columns/layout.ts";
import { rebuildAll } from "../scripts/api/rebuild-all.ts";
import { developmentKey } from "../scripts/start/development-key.ts";
import { eventTypes } from "../shared/contracts/event.ts";
import { leafCellAt, worldCell } from "../shared/geo/cells.ts";
import { importProducts } from "./support/import-products.ts";
import { ndjsonHeaders, toNdjson } from "./support/ndjson.ts";
import { pollUntil } from "./support/polling.ts";
import { generateProducts, lima, oslo } from "./support/products.ts";
import { TestStack } from "./support/test-stack.ts";

// Two users are enough to show a transition, so that tiles have some.
const stack = new TestStack({ location: { MIN_USERS_SHOWN: "2" }, cell: { MIN_USERS_SHOWN: "2" } });
const products = [
  ...generateProducts("oslo", oslo, 30),
  ...generateProducts("lima", lima, 10),
  { id: "nowhere", title: "Nowhere", category: "books" },
];

const ghostProduct = {
  version: 1,
  deleted: false,
  title: "Ghost",
  category: "books",
  price: 1,
  currency: "EUR",
  discount: 0,
  rating: null,
  available: true,
  previousCell: null,
  createdAt: 1,
};

beforeAll(() => stack.start());
afterAll(() => stack.stop());

/** Returns the current tile of a cell, decoded; null if the cell has none. */
async function readTile(cell: string): Promise<Columns | null> {
  const cells = await stack.binding("location", "CELL");
  const tile = await cells.get(cells.idFromName(`demo:${cell}`)).tile();
  return tile ? decodeColumns(tile) : null;
}

/**
 * Returns the content of all cells by cell id, from the world cell down: the product counts of the children for a parent, all
 * columns for a leaf. The trending score is left out because it decays with time.
 */
async function readCells(): Promise<Map<string, unknown>> {
  const contentByCell = new Map<string, unknown>();
  const pendingCells = [worldCell];
  for (let cell = pendingCells.pop(); cell !== undefined; cell = pendingCells.pop()) {
    const columns = await readTile(cell);
    if (!columns) continue;
    const childCounts = columns.meta.children.map((child) => [child.cell, child.count]).sort();
    pendingCells.push(...columns.meta.children.map((child) => child.cell));
    contentByCell.set(
      cell,
      childCounts.length > 0 ? childCounts : rowsOf(columns).map((row) => readRow(columns, row)),
    );
  }
  return new Map([...contentByCell].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const rowsOf = (columns: Columns): number[] => Array.from({ length: columns.count }, (_, row) => row);

/** Returns all columns of a row of a tile, except columns that decay with time or whose indexes differ between tiles. */
function readRow(columns: Columns, row: number): unknown[] {
  const values: unknown[] = [columns.id(row), columns.title(row)];
  for (const { name, width } of columnLayout) {
    if (name === "hot" || name === "category" || name === "currency" || name === "cell") continue;
    values.push(name, [...columns[name].subarray(row * width, (row + 1) * width)]);
  }
  values.push(columns.strings[columns.category[row]], columns.strings[columns.cell[row]]);
  values.push(nextProductsOf(columns, row));
  return values;
}

/** Returns all rows of the D1 table `interaction_totals`, in a fixed order. */
async function readTotals() {
  const { results } = await (await stack.binding("user", "DB"))
    .prepare("SELECT * FROM interaction_totals ORDER BY application, product_id, hour")
    .all();
  return results;
}

/** Returns the number of products that the world cell counts. */
const countProducts = async (): Promise<number> => {
  const world = await readTile(worldCell);
  return world ? world.meta.children.reduce((sum, { count }) => sum + count, 0) : 0;
};

it("rebuilds totals, cells and tiles from products and interactions, equal to the ones before", async () => {
  await importProducts(stack, products);
  await stack.call("PATCH", "/v1/products/oslo-3", { body: { location: lima } });
  await stack.call("DELETE", "/v1/products/oslo-4");
  const now = Date.now();
  const events = Array.from({ length: 400 }, (_, i) => ({
    eventId: `e${i}`,
    userId: `u${i % 7}`,
    type: eventTypes[i % 11 === 0 ? 4 : i % 4],
    productId: i % 13 === 0 ? "unknown-product" : products[(i * 7 + (i >> 3)) % products.length].id,
    timestamp: new Date(now - (400 - i) * 60_000).toISOString(),
  }));
  const history = await stack.call("POST", "/v1/events/bulk", {
    body: toNdjson(events),
    headers: ndjsonHeaders,
  });
  expect(history.body).toMatchObject({ accepted: 400 });
  await pollUntil(countProducts, (count) => count === products.length - 1, 30);
  const live = { totals: await readTotals(), cells: await readCells() };
  expect(live.totals.length).toBeGreaterThan(100);
  expect(live.cells.size).toBeGreaterThan(6);
  expect(JSON.stringify([...live.cells])).toContain('"weight":1');

  const database = await stack.binding("user", "DB");
  await database
    .prepare("UPDATE interaction_totals SET view = view + 5, people = 0 WHERE product_id LIKE 'oslo%'")
    .run();
  await database.prepare("DELETE FROM interaction_totals WHERE product_id LIKE 'lima%'").run();
  const objects = await stack.binding("location", "CELL");
  const leaf = [...live.cells.keys()].find((cell) => cell.startsWith("86")) ?? "";
  await objects
    .get(objects.idFromName(`demo:${leaf}`))
    .replaceRange("demo", leaf, { after: null, upTo: null }, []);
  const strayCell = leafCellAt({ lat: 48.86, lon: 2.35 }, 0);
  const ghost = { ...ghostProduct, productId: "ghost", location: { lat: 48.86, lon: 2.35 } };
  await objects.get(objects.idFromName(`demo:${strayCell}`)).applyChanges("demo", strayCell, [ghost], []);
  await pollUntil(countProducts, (count) => count !== products.length - 1, 30);
  expect(await readCells()).not.toEqual(live.cells);

  const target = { url: stack.url.replace(/\/$/, ""), key: developmentKey };
  const counts = await rebuildAll(target, () => undefined);
  expect(counts.neighbours).toBe(7);
  expect(counts.totals).toBeGreaterThan(30);
  // Cells have their own products at once. The counts of their parents follow.
  const equalsLive = (current: Map<string, unknown>) =>
    JSON.stringify([...current]) === JSON.stringify([...live.cells]);
  await pollUntil(readCells, equalsLive, 30);
  expect(await readTotals()).toEqual(live.totals);
  expect(await readCells()).toEqual(live.cells);
  // A rebuild of correct data changes nothing.
  await rebuildAll(target, () => undefined);
  expect(await readTotals()).toEqual(live.totals);
  expect(await readCells()).toEqual(live.cells);
});
