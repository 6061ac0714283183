/// <reference types="@cloudflare/vitest-plugin/types" />
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import type { Cell } from "../../../durable-objects/cell/cell.ts";
import { cellStub, earlierTileKey, parentCopyKey } from "../../../durable-objects/cell/cell-stub.ts";

import { type Columns, decodeColumns, nextProductsOf } from "../../../model/columns/columns.ts";
import { columnWidth } from "../../../model/columns/layout.ts";
import type { ProductChange } from "../../../shared/contracts/product.ts";
import { emptyTotals, type ProductTotals } from "../../../shared/contracts/totals.ts";
import { leafCellAt, parentCell } from "../../../shared/geo/cells.ts";
import { publishedTile } from "../testing/published-tile.ts";
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
const published = (application: string, name = leaf) => publishedTile(environment.TILES, application, name);
const rowOf = (columns: Columns, id: string): number =>
  Array.from({ length: columns.count }, (_, row) => row).findIndex((row) => columns.id(row) === id);

describe("Cell", () => {
  it("publishes its tile to KV, and sends a summary to its parent", async () => {
    await cell("one").applyChanges("one", leaf, [change("a", 1), change("b", 1)], []);
    expect(await runDurableObjectAlarm(cell("one"))).toBe(true);
    const stored = await published("one");
    expect(stored?.count).toBe(2);
    const parent = await tile("one", parentCell(leaf) ?? "");
    expect(parent.meta.children).toMatchObject([{ cell: leaf, count: 2, version: stored?.meta.version }]);
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
    expect(await published("interrupted")).toBeNull();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    try {
      expect(await runDurableObjectAlarm(stub())).toBe(true);
    } finally {
      vi.useRealTimers();
    }
    expect(await published("interrupted")).not.toBeNull();
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
      expect((await published("nine"))?.counts[0]).toBe(4);
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
      expect((await published("fifteen"))?.counts[0]).toBe(9);
    } finally {
      vi.useRealTimers();
    }
  });

  it("publishes counts alone slowly: an event in a quiet cell writes one tile, hours later, and none above it", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const hour = 3_600_000;
      const parentName = parentCell(leaf) ?? "";
      const above = cell("quiet", parentName);
      const alarmDelay = (name: string): Promise<number> =>
        runInDurableObject(
          cell("quiet", name),
          async (_object, { storage }) => ((await storage.getAlarm()) ?? Number.NaN) - Date.now(),
        );
      const keys = async (): Promise<string[]> =>
        (await environment.TILES.list({ prefix: "quiet/" })).keys.map(({ name }) => name);
      const listed = async (): Promise<number> => (await tile("quiet", parentName)).meta.children[0].version;
      await cell("quiet").applyChanges("quiet", leaf, [change("a", 1)], []);
      await cell("quiet").applyTotals("quiet", leaf, [totals("a", 500)], []);
      expect(await runDurableObjectAlarm(cell("quiet"))).toBe(true);
      expect(await runDurableObjectAlarm(above)).toBe(true);
      const before = { keys: await keys(), version: await listed() };

      vi.setSystemTime(Date.now() + hour);
      expect(await runDurableObjectAlarm(above)).toBe(true);
      expect(await keys()).toContain(parentCopyKey("quiet", parentName));
      await cell("quiet").applyTotals("quiet", leaf, [totals("a", 501)], []);
      expect(await alarmDelay(leaf)).toBe(6 * hour);
      vi.setSystemTime(Date.now() + 6 * hour);
      await evictDurableObject(cell("quiet"));
      expect(await runDurableObjectAlarm(cell("quiet"))).toBe(true);
      expect((await keys()).length).toBe(before.keys.length + 2);
      // The parent knows the version at once. It tells the cells above a day later.
      expect(await listed()).toBeGreaterThan(before.version);
      expect(await listed()).toBe((await published("quiet"))?.meta.version);
      expect(await alarmDelay(parentName)).toBe(24 * hour);
      // Nothing is left to do, so nothing wakes the leaf again.
      expect(await runDurableObjectAlarm(cell("quiet"))).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it("tells a reader the version of its tile, and sends the tile only if the reader has another", async () => {
    await cell("read").applyChanges("read", leaf, [change("a", 1)], []);
    // What is not published yet has a version of its own, which no later tile has.
    const early = await cell("read").currentTile(null);
    await runDurableObjectAlarm(cell("read"));
    const { meta } = (await published("read")) ?? {};
    expect(meta?.version).toBeGreaterThan(early?.version ?? Number.NaN);
    const first = await cell("read").currentTile(null);
    expect([first?.version, first?.tile?.byteLength ?? 0]).toEqual([meta?.version, expect.any(Number)]);
    expect(await cell("read").currentTile(first?.version ?? 0)).toEqual({
      version: first?.version,
      tile: null,
    });
    const above = cell("read", parentCell(leaf) ?? "");
    const parent = await above.currentTile(null);
    expect(parent?.tile && decodeColumns(parent.tile)?.meta.children).toMatchObject([
      { version: meta?.version },
    ]);
    expect(await above.currentTile(parent?.version ?? 0)).toEqual({ version: parent?.version, tile: null });
    expect(await cell("nothing").currentTile(null)).toBeNull();
  });

  it("publishes a tile again when it is read after KV has deleted it", async () => {
    await cell("renew").applyChanges("renew", leaf, [change("a", 1)], []);
    await runDurableObjectAlarm(cell("renew"));
    const before = (await published("renew"))?.meta.version ?? Number.NaN;
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 7 * 86_400_000 });
    try {
      expect(await runDurableObjectAlarm(cell("renew"))).toBe(false);
      await cell("renew").currentTile(before);
      expect(await runDurableObjectAlarm(cell("renew"))).toBe(true);
      expect((await published("renew"))?.meta.version).toBeGreaterThan(before);
      expect(await runDurableObjectAlarm(cell("renew"))).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it("writes a tile once while its parent cannot be reached, and reports it later", async () => {
    await cell("cut off").applyChanges("cut off", leaf, [change("a", 1)], []);
    const setCells = (cells: object) =>
      runInDurableObject(cell("cut off"), (object) => {
        Reflect.set(object, "env", { ...Reflect.get(object, "env"), CELL: cells });
      });
    await setCells({
      idFromName: () => "id",
      get: () => ({ applyChildSummary: () => Promise.reject(new Error("down")) }),
    });
    for (let attempt = 0; attempt < 3; attempt++)
      expect(await runDurableObjectAlarm(cell("cut off"))).toBe(true);
    const { keys } = await environment.TILES.list({ prefix: "cut off/tile/" });
    expect(keys.length).toBe(1);
    await setCells(environment.CELL);
    await runDurableObjectAlarm(cell("cut off"));
    expect((await tile("cut off", parentCell(leaf) ?? "")).meta.children).toMatchObject([
      { version: (await published("cut off"))?.meta.version },
    ]);
    expect((await environment.TILES.list({ prefix: "cut off/tile/" })).keys.length).toBe(1);
  });

  it("takes over the state of release 0.2: it deletes the tile that is no longer written, and answers its readers", async () => {
    const stub = () => cell("release");
    await stub().applyChanges("release", leaf, [change("a", 1)], []);
    await runInDurableObject(stub(), (_object, { storage }) => {
      const [{ value }] = storage.sql.exec<{ value: string }>("SELECT value FROM meta").toArray();
      const {
        hasEarlierKey: _key,
        renew: _renew,
        copiedAt: _at,
        copyAt: _copy,
        ...state
      } = JSON.parse(value);
      const earlier = { ...state, version: 7, contentChanged: false, publishing: true };
      storage.sql.exec("UPDATE meta SET value = ?", JSON.stringify(earlier));
    });
    await environment.TILES.put(earlierTileKey("release", leaf), "the tile of before");
    await evictDurableObject(stub());
    expect((await tile("release")).count).toBe(1);
    // The interrupted publication is repeated.
    expect(await runDurableObjectAlarm(stub())).toBe(true);
    expect(await environment.TILES.get(earlierTileKey("release", leaf))).toBeNull();
    expect((await published("release"))?.meta.version).toBeGreaterThan(1e12);
    expect((await tile("release")).meta.version).toBe((await published("release"))?.meta.version);
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
