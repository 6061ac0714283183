/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Cell, cellOf } from "../../durable-objects/cell.ts";
import { leafCellOf } from "../shared/geo/cells.ts";
import { TileCache } from "./tile-cache.ts";

const environment: { CELL: DurableObjectNamespace<Cell>; TILES: KVNamespace } = Object.assign(
  { CELL: {} as never, TILES: {} as never },
  env,
);
const down = () => Promise.reject(new Error("down"));
const place = { lat: 59.91, lon: 10.75 };
const leaf = leafCellOf(place, 0);
const change = {
  productId: "a",
  version: 1,
  deleted: false,
  title: "a",
  category: "cafe",
  price: 4,
  currency: "NOK",
  discount: 0,
  rating: null,
  available: true,
  location: place,
  previousCell: null,
  createdAt: 1_700_000_000,
};
const cacheOver = (application: string, change: object) =>
  new TileCache({ ...environment, ...change } as never, application, (work) => void work);

afterEach(() => vi.useRealTimers());

describe("tiles", () => {
  it("come from the cell where KV fails, and this is said", async () => {
    await cellOf(environment.CELL, "kv", leaf).apply("kv", leaf, [change], []);
    const cache = cacheOver("kv", { TILES: { get: down } });
    expect((await cache.tile(leaf))?.count).toBe(1);
    expect(cache.skipped).toBe("cells for tiles");
  });

  it("are as they were where neither KV nor the cell answers, and this is said", async () => {
    await cellOf(environment.CELL, "old", leaf).apply("old", leaf, [change], []);
    expect((await cacheOver("old", {}).tile(leaf))?.count).toBe(1);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    const gone = { idFromName: () => "id", get: () => ({ tile: down }) };
    const cache = cacheOver("old", { TILES: { get: down }, CELL: gone });
    expect((await cache.tile(leaf))?.count).toBe(1);
    expect(cache.skipped).toContain("old tiles for new ones");
    await expect(cacheOver("never", { TILES: { get: down }, CELL: gone }).tile(leaf)).rejects.toThrow("down");
  });
});
