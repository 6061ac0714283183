/// <reference types="@cloudflare/vitest-plugin/types" />
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { Cell } from "../../../durable-objects/cell/cell.ts";
import { cellStub } from "../../../durable-objects/cell/cell-stub.ts";
import { readNearbyTiles } from "../../../model/retrieval/nearby-tiles.ts";
import { leafCellAt, parentCell, worldCell } from "../../../shared/geo/cells.ts";
import { countedWaves } from "../testing/counted-waves.ts";
import { waitUntilBuiltAgain } from "../testing/test-index.ts";
import { IsolateTiles } from "./isolate-tiles.ts";

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
/** Returns a cache over changed bindings, with the memory of an isolate. */
const cacheOver = (application: string, tiles: IsolateTiles, bindings: object = {}) =>
  new TileCache({ ...environment, ...bindings } as never, application, (work) => void work, tiles);
const unreachable = {
  idFromName: () => "id",
  get: () => ({ tile: down, currentTile: down, currentTileOfWorld: down }),
};
const directory = parentCell(leaf) ?? "";

/** Puts the product into the cells, and lets the cells of its path publish. */
async function publish(application: string, version = 1, priceMinor = 400): Promise<void> {
  await cellStub(environment.CELL, application, leaf).applyChanges(
    application,
    leaf,
    [{ ...change, version, priceMinor }],
    [],
  );
  for (let cell: string | null = leaf; cell !== null; cell = parentCell(cell))
    await runDurableObjectAlarm(cellStub(environment.CELL, application, cell));
  await waitUntilBuiltAgain();
}
const later = (seconds: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + seconds * 1000 });

/** Returns KV, and the keys that were read from it. */
function countedKv() {
  const reads: string[] = [];
  const get = (key: string, options: KVNamespaceGetOptions<"arrayBuffer">) => {
    reads.push(key);
    return environment.TILES.get(key, options);
  };
  return { reads, TILES: { get } };
}

afterEach(() => vi.useRealTimers());

describe("TileCache", () => {
  it("reads the tile from the cell if KV fails, and reports the fallback", async () => {
    await publish("kv");
    const cache = cacheOver("kv", new IsolateTiles(), { TILES: { get: down } });
    expect((await cache.tile(leaf))?.count).toBe(1);
    expect(cache.skipped).toBe("cells for tiles");
  });

  it("returns the stale tile if KV and the cell fail, and reports the fallback", async () => {
    await publish("old");
    const tiles = new IsolateTiles();
    expect((await cacheOver("old", tiles).tile(leaf))?.count).toBe(1);
    later(60);
    const cache = cacheOver("old", tiles, { TILES: { get: down }, CELL: unreachable });
    expect((await cache.tile(leaf))?.count).toBe(1);
    expect(cache.skipped).toContain("old tiles for new ones");
    const never = cacheOver("never", new IsolateTiles(), { TILES: { get: down }, CELL: unreachable });
    await expect(never.tile(leaf)).rejects.toThrow("down");
  });

  it("reads a leaf once for each version that its directory lists, however old it is", async () => {
    await publish("known");
    const tiles = new IsolateTiles();
    const { reads, TILES } = countedKv();
    const read = async (): Promise<number | undefined> =>
      (await cacheOver("known", tiles, { TILES }).tile(leaf))?.priceMinor[0];
    expect(await read()).toBe(400);
    later(3600);
    expect(await read()).toBe(400);
    expect(reads.length).toBe(1);
    await publish("known", 2, 500);
    later(10);
    expect(await read()).toBe(500);
    expect(reads.length).toBe(2);
    // The object stays until there is a new version, with what was computed from it.
    const first = await cacheOver("known", tiles).tile(leaf);
    later(60);
    expect(await cacheOver("known", tiles).tile(leaf)).toBe(first);
  });

  it("never returns an older version than before, whatever a directory or KV says", async () => {
    await publish("back");
    const old = await cellStub(environment.CELL, "back", directory).currentTile(null);
    const oldLeaf = await cellStub(environment.CELL, "back", leaf).currentTile(null);
    await publish("back", 2, 500);
    const tiles = new IsolateTiles();
    expect((await cacheOver("back", tiles).tile(leaf))?.priceMinor[0]).toBe(500);
    const current = (await cacheOver("back", tiles).tile(directory))?.meta.version;
    later(60);
    const CELL = {
      idFromName: (name: string) => name,
      get: (name: string) => ({ currentTile: async () => (name.endsWith(leaf) ? oldLeaf : old) }),
    };
    const cache = cacheOver("back", tiles, { CELL });
    expect((await cache.tile(directory))?.meta.version).toBe(current);
    expect((await cache.tile(leaf))?.priceMinor[0]).toBe(500);
    // A tile that made room for others is read in the version that was seen.
    tiles.forget("back", leaf);
    tiles.forget("back", directory);
    expect((await cacheOver("back", tiles, { CELL }).tile(leaf))?.priceMinor[0]).toBe(500);
  });

  it("uses the copy of a directory that cannot be reached, and asks the leaves themselves what is current", async () => {
    await publish("copy");
    await publish("copy", 2, 500);
    later(61);
    await runDurableObjectAlarm(cellStub(environment.CELL, "copy", directory));
    const cells = environment.CELL;
    const blocked = cells.idFromName(`copy:${directory}`).toString();
    const CELL = {
      idFromName: (name: string) => cells.idFromName(name),
      get: (id: DurableObjectId, options: DurableObjectNamespaceGetDurableObjectOptions) =>
        id.toString() === blocked ? unreachable.get() : cells.get(id, options),
    };
    const tiles = new IsolateTiles();
    const read = async () => {
      const cache = cacheOver("copy", tiles, { CELL });
      const tile = await cache.tile(leaf);
      expect(cache.skipped).toBe("copies for directories");
      return tile?.priceMinor[0];
    };
    expect(await read()).toBe(500);
    await publish("copy", 3, 600);
    later(31);
    expect(await read()).toBe(600);
  });

  it("reads from cells of release 0.2, and finds their tiles before anything is published again", async () => {
    await publish("before");
    const cells = environment.CELL;
    // A cell of that release has only `tile`, and counts versions from 1.
    const CELL = {
      idFromName: (name: string) => cells.idFromName(name),
      get: (id: DurableObjectId) => {
        const missing = (name: string) => async () => {
          throw new TypeError(`The RPC receiver does not implement the method "${name}".`);
        };
        return {
          tile: () => cells.get(id).tile(),
          currentTile: missing("currentTile"),
          currentTileOfWorld: missing("currentTileOfWorld"),
        };
      },
    };
    const cache = cacheOver("before", new IsolateTiles(), { CELL });
    expect((await cache.tile(worldCell))?.meta.children.length).toBe(1);
    expect((await cache.tile(leaf))?.count).toBe(1);
    expect(cache.skipped).toBeUndefined();
  });

  it("reads all tiles around a point in two waves where nothing is cached", async () => {
    await publish("waves");
    const { CELL, TILES, waves } = countedWaves(environment);
    const cache = cacheOver("waves", new IsolateTiles(), { CELL, TILES });
    const { leaves } = await readNearbyTiles(cache, place, {
      manyRows: 400,
      manyTiles: 40,
      enoughRows: 200,
      test: () => true,
      mayContain: () => true,
      radiusKm: 50,
      maxTiles: 400,
    });
    expect(leaves.map(({ meta }) => meta.cell)).toEqual([leaf]);
    expect(waves()).toBe(2);
  });
});
