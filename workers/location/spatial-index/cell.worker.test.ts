/// <reference types="@cloudflare/vitest-plugin/types" />
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Cell } from "../../../durable-objects/cell/cell.ts";
import { cellStub, tileKey } from "../../../durable-objects/cell/cell-stub.ts";
import { type Columns, decodeColumns, nextProductsOf } from "../../../model/columns/columns.ts";
import { columnWidth } from "../../../model/columns/layout.ts";
import type { ProductChange } from "../../../shared/contracts/product.ts";
import { emptyTotals, type ProductTotals } from "../../../shared/contracts/totals.ts";
import { leafCellAt, parentCell } from "../../../shared/geo/cells.ts";
import { applyTotals } from "./apply.ts";

const environment: { CELL: DurableObjectNamespace<Cell>; TILES: KVNamespace } = Object.assign(
  { CELL: {} as never, TILES: {} as never },
  env,
);
const place = { lat: 59.91, lon: 10.75 };
const leaf = leafCellAt(place, 0);
const cell = (application: string, name = leaf) => cellStub(environment.CELL, application, name);

const change = (productId: string, version: number, more: Partial<ProductChange> = {}): ProductChange => ({
  productId,
  version,
  deleted: false,
  title: productId,
  category: "cafe",
  priceMinor: 400,
  currency: "NOK",
  discount: 0,
  rating: null,
  available: true,
  groupId: null,
  location: place,
  previousCell: null,
  createdAt: 1_700_000_000,
  ...more,
});
const totals = (productId: string, views: number): ProductTotals => {
  const counts = { ...emptyTotals(), view: views, people: 1 };
  return { productId, complete: true, hours: [{ ...counts, hour: 472_222 }] };
};
const transition = (key: number) => ({
  key,
  user: key,
  from: "a",
  to: "b",
  toCell: leaf,
  gap: 1,
  time: 1_700_000_000,
});

async function tile(application: string, name = leaf): Promise<Columns> {
  const bytes = await cell(application, name).tile();
  const columns = bytes ? decodeColumns(bytes) : null;
  if (!columns) throw new Error("the cell has no tile");
  return columns;
}
const rowOf = (columns: Columns, id: string): number =>
  Array.from({ length: columns.count }, (_, row) => row).findIndex((row) => columns.id(row) === id);

describe("Cell", () => {
  it("publishes its tile to KV, and sends a summary to its parent", async () => {
    await cell("one").applyChanges("one", leaf, [change("a", 1), change("b", 1)], []);
    expect(await runDurableObjectAlarm(cell("one"))).toBe(true);
    const stored = await environment.TILES.get(tileKey("one", leaf), "arrayBuffer");
    expect(stored && decodeColumns(stored)?.count).toBe(2);
    const parent = await tile("one", parentCell(leaf) ?? "");
    expect(parent.meta.children).toMatchObject([{ cell: leaf, count: 2 }]);
    expect(parent.count).toBe(2);
  });

  it("publishes again what an interrupted publication has not published", async () => {
    const stub = () => cell("interrupted");
    await stub().applyChanges("interrupted", leaf, [change("a", 1)], []);
    await runInDurableObject(stub(), async (object, state) => {
      const never = { put: () => new Promise(() => undefined) };
      Reflect.set(object, "env", { ...Reflect.get(object, "env"), TILES: never });
      void object.alarm();
      // The platform runs an alarm again if the object ended during it.
      await state.storage.setAlarm(Date.now() + 60_000);
    });
    await evictDurableObject(stub());
    expect(await environment.TILES.get(tileKey("interrupted", leaf))).toBeNull();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    try {
      expect(await runDurableObjectAlarm(stub())).toBe(true);
    } finally {
      vi.useRealTimers();
    }
    expect(await environment.TILES.get(tileKey("interrupted", leaf))).not.toBeNull();
    expect((await tile("interrupted", parentCell(leaf) ?? "")).count).toBe(1);
  });

  it("keeps the newest version of each product, for any order and repetition of changes", async () => {
    const newer = change("a", 3, { priceMinor: 900, available: false });
    for (const each of [newer, change("a", 2), newer, change("a", 1)])
      await cell("two").applyChanges("two", leaf, [each], []);
    const columns = await tile("two");
    expect([columns.count, columns.priceMinor[0], columns.available[0]]).toEqual([1, 900, 0]);
  });

  it("has the same totals and next products for any order and repetition, also if they precede the product", async () => {
    const seen: string[] = [];
    for (const [application, order] of [
      ["three", [5, 9, 7, 9]],
      ["four", [9]],
    ] as const) {
      for (const views of order)
        await cell(application).applyTotals(
          application,
          leaf,
          [totals("a", views)],
          [transition(1), transition(2)],
        );
      await cell(application).applyChanges(application, leaf, [change("a", 1), change("b", 1)], []);
      const columns = await tile(application);
      const row = rowOf(columns, "a");
      expect(columns.counts[columnWidth.counts * row]).toBe(9);
      seen.push(JSON.stringify(nextProductsOf(columns, row)));
    }
    expect(seen[0]).toBe(seen[1]);
    expect(JSON.parse(seen[0])).toEqual([{ productId: "b", cell: leaf, weight: 2 }]);
  });

  it("counts a transition once, repeated in one call or after its tile was published", async () => {
    const past = { ...transition(3), time: 1_600_000_000 };
    await cell("eight").applyChanges("eight", leaf, [change("a", 1), change("b", 1)], []);
    await cell("eight").applyTotals("eight", leaf, [totals("a", 1)], [past, past]);
    await runDurableObjectAlarm(cell("eight"));
    await cell("eight").applyTotals("eight", leaf, [totals("a", 1)], [past]);
    const columns = await tile("eight");
    expect(nextProductsOf(columns, rowOf(columns, "a"))).toMatchObject([{ productId: "b", weight: 1 }]);
  });

  it("publishes new totals in time, also after an eviction", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      await cell("nine").applyChanges("nine", leaf, [change("a", 1)], []);
      await runDurableObjectAlarm(cell("nine"));
      await cell("nine").applyTotals("nine", leaf, [totals("a", 4)], []);
      await evictDurableObject(cell("nine"));
      vi.setSystemTime(Date.now() + 61_000);
      expect(await runDurableObjectAlarm(cell("nine"))).toBe(true);
      const stored = await environment.TILES.get(tileKey("nine", leaf), "arrayBuffer");
      expect(stored && decodeColumns(stored)?.counts[0]).toBe(4);
    } finally {
      vi.useRealTimers();
    }
  });

  it("publishes complete totals of a moved product in time, also after an eviction", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const stub = () => cell("fifteen");
      const moved = change("a", 2, { previousCell: leafCellAt({ lat: 60.4, lon: 5.3 }, 0) });
      await stub().applyTotals("fifteen", leaf, [totals("a", 2)], []);
      await stub().applyChanges("fifteen", leaf, [moved], []);
      await runDurableObjectAlarm(stub());
      await stub().applyTotals("fifteen", leaf, [totals("a", 9)], []);
      await evictDurableObject(stub());
      vi.setSystemTime(Date.now() + 61_000);
      expect(await runDurableObjectAlarm(stub())).toBe(true);
      const stored = await environment.TILES.get(tileKey("fifteen", leaf), "arrayBuffer");
      expect(stored && decodeColumns(stored)?.counts[0]).toBe(9);
    } finally {
      vi.useRealTimers();
    }
  });

  it("sends counts alone up slowly: an event in a quiet cell publishes one tile, and no cell above soon", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const parentName = parentCell(leaf) ?? "";
      const above = cell("quiet", parentName);
      const version = async (name: string): Promise<number> => (await tile("quiet", name)).meta.version;
      const alarmDelay = (name: string): Promise<number> =>
        runInDurableObject(
          cell("quiet", name),
          async (_object, { storage }) => ((await storage.getAlarm()) ?? Number.NaN) - Date.now(),
        );
      await cell("quiet").applyChanges("quiet", leaf, [change("a", 1)], []);
      await cell("quiet").applyTotals("quiet", leaf, [totals("a", 500)], []);
      expect(await runDurableObjectAlarm(cell("quiet"))).toBe(true);
      expect(await runDurableObjectAlarm(above)).toBe(true);
      const [leafVersion, parentVersion] = [await version(leaf), await version(parentName)];

      vi.setSystemTime(Date.now() + 3_600_000);
      await cell("quiet").applyTotals("quiet", leaf, [totals("a", 501)], []);
      expect(await alarmDelay(leaf)).toBe(600_000);
      vi.setSystemTime(Date.now() + 600_000);
      await evictDurableObject(cell("quiet"));
      expect(await runDurableObjectAlarm(cell("quiet"))).toBe(true);
      expect(await version(leaf)).toBe(leafVersion + 1);
      expect(await version(parentName)).toBe(parentVersion);
      expect(await alarmDelay(parentName)).toBe(600_000);
      // Nothing is left to do, so nothing wakes the leaf again.
      expect(await runDurableObjectAlarm(cell("quiet"))).toBe(false);

      vi.setSystemTime(Date.now() + 600_000);
      await evictDurableObject(above);
      expect(await runDurableObjectAlarm(above)).toBe(true);
      expect(await version(parentName)).toBe(parentVersion + 1);
      expect((await tile("quiet", parentName)).meta.children).toMatchObject([{ version: leafVersion + 1 }]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("migrates the tables of an earlier version, without their interactions", async () => {
    await cell("ten").applyChanges("ten", leaf, [change("a", 1)], []);
    await runInDurableObject(cell("ten"), (_object, { storage }) => {
      storage.sql.exec(`
        DROP TABLE next_products; DROP TABLE counted_keys; DROP TABLE hours;
        CREATE TABLE totals (id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
        INSERT INTO totals VALUES ('a', 3, '{"productId":"a","version":3}');
        INSERT INTO pending_deltas VALUES (1, 1, 3, '{"totals":[{"productId":"a","version":3}],"transitions":[]}');
        CREATE TABLE followers (id TEXT, next TEXT, cell TEXT, weight REAL, PRIMARY KEY (id, next)) WITHOUT ROWID;
        CREATE TABLE steps (key TEXT PRIMARY KEY, time REAL NOT NULL) WITHOUT ROWID;
        INSERT INTO steps VALUES ('1700000000:abc', 1700000000);
      `);
    });
    await evictDurableObject(cell("ten"));
    expect((await tile("ten")).count).toBe(1);
    await cell("ten").applyTotals("ten", leaf, [totals("a", 4)], [transition(4)]);
    expect((await tile("ten")).counts[0]).toBe(4);
    const left = await runInDurableObject(cell("ten"), (_object, { storage }) =>
      storage.sql
        .exec("SELECT name FROM sqlite_master WHERE name IN ('followers', 'steps', 'totals')")
        .toArray(),
    );
    expect(left).toEqual([]);
  });

  it("returns the cell to which a product moved, and ignores an older change of the product", async () => {
    const elsewhere = leafCellAt({ lat: 60.4, lon: 5.3 }, 0);
    await cell("five").applyChanges("five", leaf, [change("a", 1)], []);
    await cell("five").applyChanges("five", leaf, [], [{ productId: "a", version: 2, to: elsewhere }]);
    await cell("five").applyChanges("five", leaf, [change("a", 1)], []);
    expect((await tile("five")).count).toBe(0);
    expect(await cell("five").forwardingCell("a")).toBe(elsewhere);
  });

  it("asks for the complete hours of a product without counts, and returns the new cell of a moved product", async () => {
    const elsewhere = leafCellAt({ lat: 60.4, lon: 5.3 }, 0);
    const some = { ...totals("a", 2), complete: false };
    const apply = (name: string, productTotals: ProductTotals) =>
      cell("twelve", name).applyTotals("twelve", name, [productTotals], []);
    await cell("twelve").applyChanges("twelve", leaf, [change("a", 1)], []);
    expect(await apply(leaf, some)).toEqual({
      counted: 0,
      unknown: [{ productId: "a", movedTo: null }],
    });
    expect(await apply(leaf, totals("a", 2))).toEqual({ counted: 3, unknown: [] });
    expect(await apply(leaf, { ...totals("a", 3), complete: false })).toEqual({ counted: 1, unknown: [] });

    await cell("twelve").applyChanges("twelve", leaf, [], [{ productId: "a", version: 2, to: elsewhere }]);
    expect(await apply(leaf, totals("a", 9))).toEqual({
      counted: 0,
      unknown: [{ productId: "a", movedTo: elsewhere }],
    });
    const complete = [{ ...totals("a", 9), cell: leaf }];
    const part = [{ ...complete[0], complete: false }];
    expect(await applyTotals(environment.CELL, "twelve", part, [])).toEqual({
      applied: 0,
      unknown: [{ productId: "a", cell: elsewhere }],
    });
    // Complete totals follow the product over several moves.
    const further = leafCellAt({ lat: 48.86, lon: 2.35 }, 0);
    await cell("twelve", elsewhere).applyChanges(
      "twelve",
      elsewhere,
      [],
      [{ productId: "a", version: 3, to: further }],
    );
    expect(await applyTotals(environment.CELL, "twelve", complete, [])).toEqual({ applied: 10, unknown: [] });
    expect(await apply(further, totals("a", 9))).toEqual({ counted: 0, unknown: [] });

    // The product returns: the counts that this cell had are no longer complete.
    await cell("twelve").applyChanges("twelve", leaf, [change("a", 4, { previousCell: further })], []);
    expect((await apply(leaf, some))?.unknown).toEqual([{ productId: "a", movedTo: null }]);
    expect((await tile("twelve")).counts[0]).toBe(0);
  });

  it("treats the counts of a product from before its move into the cell as incomplete", async () => {
    const apply = (productTotals: ProductTotals) =>
      cell("fourteen").applyTotals("fourteen", leaf, [productTotals], []);
    const moved = { previousCell: leafCellAt({ lat: 60.4, lon: 5.3 }, 0) };
    await apply(totals("a", 2));
    await cell("fourteen").applyChanges("fourteen", leaf, [change("a", 2, moved)], []);
    expect((await tile("fourteen")).counts[0]).toBe(2);
    expect(await apply({ ...totals("a", 3), complete: false })).toMatchObject({ counted: 0, unknown: [{}] });
    expect(await apply(totals("a", 3))).toEqual({ counted: 1, unknown: [] });
    await cell("fourteen").applyChanges(
      "fourteen",
      leaf,
      [change("a", 3, { ...moved, priceMinor: 900 })],
      [],
    );
    expect(await apply({ ...totals("a", 4), complete: false })).toEqual({ counted: 1, unknown: [] });
  });

  it("ignores totals of a deleted product", async () => {
    await cell("thirteen").applyChanges("thirteen", leaf, [], [{ productId: "a", version: 2, to: null }]);
    const answer = await cell("thirteen").applyTotals("thirteen", leaf, [totals("a", 9)], []);
    expect(answer).toEqual({ counted: 0, unknown: [] });
  });

  it("is separate for each application, and returns null without data", async () => {
    await cell("six").applyChanges("six", leaf, [change("a", 1)], []);
    expect(await cell("seven").tile()).toBeNull();
    expect(await cell("seven").forwardingCell("a")).toBeNull();
  });
});
