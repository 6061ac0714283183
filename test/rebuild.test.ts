import { afterAll, beforeAll, expect, it } from "vitest";
import { type Columns, decodeColumns, nextProductsOf } from "../model/columns/columns.ts";
import { columnLayout } from "../model/columns/layout.ts";
import { rebuildAll } from "../scripts/api/rebuild-all.ts";
import { developmentKey } from "../scripts/start/serve.ts";
import { eventTypes } from "../shared/contracts/event.ts";
import { leafCellAt, worldCell } from "../shared/geo/cells.ts";
import { ndjsonHeaders, toNdjson } from "./ndjson.ts";
import { pollUntil } from "./polling.ts";
import { generateProducts, lima, oslo } from "./products.ts";
import { TestStack } from "./test-stack.ts";

const stack = new TestStack();
const products = [
  ...generateProducts("oslo", oslo, 30),
  ...generateProducts("lima", lima, 10),
  { id: "nowhere", title: "Nowhere", category: "books" },
];

const anyChange = {
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

/** A cell's tile as its object makes it now. */
async function readTile(cell: string): Promise<Columns | null> {
  const readCells = await stack.binding("location", "CELL");
  const tile = await readCells.get(readCells.idFromName(`demo:${cell}`)).tile();
  return tile ? decodeColumns(tile) : null;
}

/** Cells from the world down; leaves with all that they say, but what decays with time. */
async function readCells(): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  const open = [worldCell];
  for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
    const columns = await readTile(cell);
    if (!columns) continue;
    const below = columns.meta.children.map((child) => [child.cell, child.count]).sort();
    open.push(...columns.meta.children.map((child) => child.cell));
    found.set(cell, below.length > 0 ? below : rowsOf(columns).map((row) => describeRow(columns, row)));
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const rowsOf = (columns: Columns): number[] => Array.from({ length: columns.count }, (_, row) => row);

function describeRow(columns: Columns, row: number): unknown[] {
  const values: unknown[] = [columns.id(row), columns.title(row)];
  for (const { name, width } of columnLayout) {
    if (name === "hot" || name === "category" || name === "currency" || name === "cell") continue;
    values.push(name, [...columns[name].subarray(row * width, (row + 1) * width)]);
  }
  values.push(columns.strings[columns.category[row]], columns.strings[columns.cell[row]]);
  values.push(nextProductsOf(columns, row));
  return values;
}

async function readTotals() {
  const { results } = await (await stack.binding("user", "DB"))
    .prepare("SELECT * FROM interaction_totals ORDER BY application, product_id, hour")
    .all();
  return results;
}

/** How many products the world holds, by what its cells handed up. */
const countProducts = async (): Promise<number> => {
  const world = await readTile(worldCell);
  return world ? world.meta.children.reduce((sum, { count }) => sum + count, 0) : 0;
};

it("makes totals, cells and tiles anew as they were, from products and interactions alone", async () => {
  const loaded = await stack.call("POST", "/v1/products/bulk", {
    body: toNdjson(products),
    headers: ndjsonHeaders,
  });
  expect(loaded.status).toBe(200);
  await stack.call("PATCH", "/v1/products/oslo-3", { body: { location: lima } });
  await stack.call("DELETE", "/v1/products/oslo-4");
  const now = Date.now();
  const events = Array.from({ length: 400 }, (_, i) => ({
    eventId: `e${i}`,
    userId: `u${i % 7}`,
    type: eventTypes[i % 11 === 0 ? 4 : i % 4],
    productId: i % 13 === 0 ? "unheard-of" : products[(i * 7 + (i >> 3)) % products.length].id,
    timestamp: new Date(now - (400 - i) * 60_000).toISOString(),
  }));
  const history = await stack.call("POST", "/v1/events/bulk", {
    body: toNdjson(events),
    headers: ndjsonHeaders,
  });
  expect(history.body).toMatchObject({ accepted: 400 });
  await pollUntil(countProducts, (count) => count === products.length - 1, 30);
  const live = { readTotals: await readTotals(), readCells: await readCells() };
  expect(live.readTotals.length).toBeGreaterThan(100);
  expect(live.readCells.size).toBeGreaterThan(6);
  expect(JSON.stringify([...live.readCells])).toContain('"weight":1');

  const database = await stack.binding("user", "DB");
  await database
    .prepare("UPDATE interaction_totals SET view = view + 5, people = 0 WHERE product_id LIKE 'oslo%'")
    .run();
  await database.prepare("DELETE FROM interaction_totals WHERE product_id LIKE 'lima%'").run();
  const objects = await stack.binding("location", "CELL");
  const leaf = [...live.readCells.keys()].find((cell) => cell.startsWith("86")) ?? "";
  await objects
    .get(objects.idFromName(`demo:${leaf}`))
    .rebuild("demo", leaf, { after: null, upTo: null }, []);
  const stray = leafCellAt({ lat: 48.86, lon: 2.35 }, 0);
  const ghost = { ...anyChange, productId: "ghost", location: { lat: 48.86, lon: 2.35 } };
  await objects.get(objects.idFromName(`demo:${stray}`)).apply("demo", stray, [ghost], []);
  await pollUntil(countProducts, (count) => count !== products.length - 1, 30);
  expect(await readCells()).not.toEqual(live.readCells);

  const target = { url: stack.url.replace(/\/$/, ""), key: developmentKey };
  const done = await rebuildAll(target, () => undefined);
  expect(done.neighbours).toBe(7);
  expect(done.totals).toBeGreaterThan(30);
  // What cells hold is there at once; what they hand up follows.
  const asLive = (found: Map<string, unknown>) =>
    JSON.stringify([...found]) === JSON.stringify([...live.readCells]);
  await pollUntil(
    async () => (asLive(await readCells()) ? 1 : 0),
    (same) => same === 1,
    30,
  );
  expect(await readTotals()).toEqual(live.readTotals);
  expect(await readCells()).toEqual(live.readCells);
  // A second time, over a state that is right: nothing changes.
  await rebuildAll(target, () => undefined);
  expect(await readTotals()).toEqual(live.readTotals);
  expect(await readCells()).toEqual(live.readCells);
});
