/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Cell } from "../../../durable-objects/cell/cell.ts";
import { cellStub, tileKey } from "../../../durable-objects/cell/cell-stub.ts";
import { decodeColumns } from "../../../model/columns/columns.ts";
import { leafCellAt } from "../../../shared/geo/cells.ts";
import { TileCache } from "./tile-cache.ts";

const environment: { CELL: DurableObjectNamespace<Cell>; TILES: KVNamespace } = Object.assign(
  { CELL: {} as never, TILES: {} as never },
  env,
);
const down = () => Promise.reject(new Error("down"));
const place = { lat: 59.91, lon: 10.75 };
const leaf = leafCellAt(place, 0);
const change = {
  productId: "a",
  version: 1,
  deleted: false,
  title: "a",
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
};
const cacheOver = (application: string, change: object) =>
  new TileCache({ ...environment, ...change } as never, application, (work) => void work);

afterEach(() => vi.useRealTimers());

describe("TileCache", () => {
  it("reads the tile from the cell if KV fails, and reports the fallback", async () => {
    await cellStub(environment.CELL, "kv", leaf).applyChanges("kv", leaf, [change], []);
    const cache = cacheOver("kv", { TILES: { get: down } });
    expect((await cache.tile(leaf))?.count).toBe(1);
    expect(cache.skipped).toBe("cells for tiles");
  });

  it("returns the stale tile if KV and the cell fail, and reports the fallback", async () => {
    await cellStub(environment.CELL, "old", leaf).applyChanges("old", leaf, [change], []);
    expect((await cacheOver("old", {}).tile(leaf))?.count).toBe(1);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    const gone = { idFromName: () => "id", get: () => ({ tile: down }) };
    const cache = cacheOver("old", { TILES: { get: down }, CELL: gone });
    expect((await cache.tile(leaf))?.count).toBe(1);
    expect(cache.skipped).toContain("old tiles for new ones");
    await expect(cacheOver("never", { TILES: { get: down }, CELL: gone }).tile(leaf)).rejects.toThrow("down");
  });

  it("reloads an old tile, but not a leaf that has the version its parent lists", async () => {
    const cell = cellStub(environment.CELL, "known", leaf);
    await cell.applyChanges("known", leaf, [change], []);
    const reads: string[] = [];
    const tiles = {
      get: (key: string, type: "arrayBuffer") => {
        reads.push(key);
        return environment.TILES.get(key, type);
      },
    };
    const read = async (version?: number): Promise<number> => {
      reads.length = 0;
      const tile = await cacheOver("known", { TILES: tiles }).tile(leaf, version);
      expect(tile?.count).toBe(1);
      return reads.length;
    };
    expect(await read()).toBe(1);
    const version = (await cacheOver("known", {}).tile(leaf))?.meta.version ?? Number.NaN;
    const later = (seconds: number) =>
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
    later(60);
    expect(await read(version)).toBe(0);
    later(60);
    expect(await read(version + 1)).toBe(1);
    later(60);
    expect(await read()).toBe(1);
  });

  it("keeps the cached object until the cell publishes a new version", async () => {
    const cell = cellStub(environment.CELL, "same", leaf);
    const published = (price: number) =>
      vi.waitFor(
        async () => {
          const stored = await environment.TILES.get(tileKey("same", leaf), "arrayBuffer");
          expect(stored && decodeColumns(stored)?.priceMinor[0]).toBe(price);
        },
        { timeout: 10_000, interval: 100 },
      );
    const later = (seconds: number) =>
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });
    await cell.applyChanges("same", leaf, [change], []);
    await published(400);
    const first = await cacheOver("same", {}).tile(leaf);
    later(60);
    expect(await cacheOver("same", {}).tile(leaf)).toBe(first);
    vi.useRealTimers();
    await cell.applyChanges("same", leaf, [{ ...change, version: 2, priceMinor: 500 }], []);
    await published(500);
    later(120);
    expect((await cacheOver("same", {}).tile(leaf))?.priceMinor[0]).toBe(500);
  });
});
