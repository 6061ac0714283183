import { afterAll, beforeAll, expect, it } from "vitest";
import { type Columns, decodeColumns, nextProductsOf } from "../model/columns/columns.ts";
import { columnLayout } from "../model/columns/layout.ts";
import { rebuildAll } from "../scripts/api/rebuild-all.ts";
import { developmentKey } from "../scripts/start/serve.ts";
import { eventTypes } from "../shared/contracts/event.ts";
import { leafCellAt, worldCell } from "../shared/geo/cells.ts";
import { asLines, lima, oslo, productsAround } from "./products.ts";
import { eventually, Stack } from "./stack.ts";

const stack = new Stack();
const products = [
  ...productsAround("oslo", oslo, 30),
  ...productsAround("lima", lima, 10),
  { id: "nowhere", title: "Nowhere", category: "books" },
];
const lines = { "content-type": "application/x-ndjson" };

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
async function tileOf(cell: string): Promise<Columns | null> {
  const cells = await stack.binding("location", "CELL");
  const tile = await cells.get(cells.idFromName(`demo:${cell}`)).tile();
  return tile ? decodeColumns(tile) : null;
}

/** Cells from the world down; leaves with all that they say, but what decays with time. */
async function cells(): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  const open = [worldCell];
  for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
    const columns = await tileOf(cell);
    if (!columns) continue;
    const below = columns.meta.children.map((child) => [child.cell, child.count]).sort();
    open.push(...columns.meta.children.map((child) => child.cell));
    found.set(cell, below.length > 0 ? below : rowsOf(columns).map((row) => describe(columns, row)));
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const rowsOf = (columns: Columns): number[] => Array.from({ length: columns.count }, (_, row) => row);

function describe(columns: Columns, row: number): unknown[] {
  const values: unknown[] = [columns.id(row), columns.title(row)];
  for (const { name, width } of columnLayout) {
    if (name === "hot" || name === "category" || name === "currency" || name === "cell") continue;
    values.push(name, [...columns[name].subarray(row * width, (row + 1) * width)]);
  }
  values.push(columns.strings[columns.category[row]], columns.strings[columns.cell[row]]);
  values.push(nextProductsOf(columns, row));
  return values;
}

async function totals() {
  const { results } = await (await stack.binding("user", "DB"))
    .prepare("SELECT * FROM interaction_totals ORDER BY application, product_id, hour")
    .all();
  return results;
}

/** How many products the world holds, by what its cells handed up. */
const held = async (): Promise<number> => {
  const world = await tileOf(worldCell);
  return world ? world.meta.children.reduce((sum, { count }) => sum + count, 0) : 0;
};

it("makes totals, cells and tiles anew as they were, from products and interactions alone", async () => {
  const loaded = await stack.call("POST", "/v1/products/bulk", { body: asLines(products), headers: lines });
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
  const history = await stack.call("POST", "/v1/events/bulk", { body: asLines(events), headers: lines });
  expect(history.body).toMatchObject({ accepted: 400 });
  await eventually(held, (count) => count === products.length - 1, 30);
  const live = { totals: await totals(), cells: await cells() };
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
    .rebuild("demo", leaf, { after: null, upTo: null }, []);
  const stray = leafCellAt({ lat: 48.86, lon: 2.35 }, 0);
  const ghost = { ...anyChange, productId: "ghost", location: { lat: 48.86, lon: 2.35 } };
  await objects.get(objects.idFromName(`demo:${stray}`)).apply("demo", stray, [ghost], []);
  await eventually(held, (count) => count !== products.length - 1, 30);
  expect(await cells()).not.toEqual(live.cells);

  const target = { url: stack.url.replace(/\/$/, ""), key: developmentKey };
  const done = await rebuildAll(target, () => undefined);
  expect(done.neighbours).toBe(7);
  expect(done.totals).toBeGreaterThan(30);
  // What cells hold is there at once; what they hand up follows.
  const asLive = (found: Map<string, unknown>) =>
    JSON.stringify([...found]) === JSON.stringify([...live.cells]);
  await eventually(
    async () => (asLive(await cells()) ? 1 : 0),
    (same) => same === 1,
    30,
  );
  expect(await totals()).toEqual(live.totals);
  expect(await cells()).toEqual(live.cells);
  // A second time, over a state that is right: nothing changes.
  await rebuildAll(target, () => undefined);
  expect(await totals()).toEqual(live.totals);
  expect(await cells()).toEqual(live.cells);
});
