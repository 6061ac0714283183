/// <reference types="@cloudflare/vitest-plugin/types" />
import { describe, expect, it } from "vitest";
import { nextProductsOf } from "../../../model/columns/columns.ts";
import { addressOfProduct } from "../../../model/retrieval/cell-product.ts";
import { nextCellToward, leafCellAt, maxCellProducts } from "../../../shared/geo/cells.ts";
import { productsUnder, TestIndex, tilesUnder } from "../testing/test-index.ts";

const place = { lat: 59.91, lon: 10.75 };
const leaf = leafCellAt(place, 0);
/** Within some two kilometres of the place, and in its leaf. */
const spread = (count: number, name = "p") =>
  Array.from({ length: 4 * count }, (_, i) => ({
    id: `${name}${i}`,
    location: {
      lat: place.lat + ((i * 7919) % 1000) / 50_000,
      lon: place.lon + ((i * 104_729) % 1000) / 25_000,
    },
  }))
    .filter(({ location }) => leafCellAt(location, 0) === leaf)
    .slice(0, count);
const shop = (id: string) => ({ id, productId: id, location: place });

describe("a cell past its bound", () => {
  it("splits, ended at every step, while products change, and is whole at every moment", async () => {
    const town = new TestIndex("whole");
    const places = spread(maxCellProducts + 300);
    await town.put(places);
    await town.addViews(
      ["p1", "p0"].filter((id) => town.products.has(id)),
      5,
      4,
    );
    const [a, b, c, d, e, f] = [...town.products.keys()].slice(100);
    await town.addViews([a, b], 3, 1);
    const old = addressOfProduct(town.products.get(c) as never);
    const elsewhere = places.find(({ location }) => addressOfProduct({ productId: c, location }) !== old);
    if (!elsewhere) throw new Error("all at one address");
    const far = { lat: 60.39, lon: 5.32 };
    const phases = new Set<string | undefined>();
    for (let step = 0; step < 60 && !phases.has("split"); step++) {
      await town.runAlarm(leaf, step);
      const phase = await town.phaseOf(leaf);
      // In the middle, once each: an update, a move within the cell, one out of it, a removal, interactions.
      if (phase === "splitting" && !phases.has("splitting")) {
        await town.put([{ id: b, location: town.products.get(b)?.location ?? null }]);
        await town.put([{ id: c, location: elsewhere.location }]);
        await town.put([{ id: d, location: far }]);
        await town.remove(e);
        await town.put([{ id: "new", location: place }]);
        await town.addViews([a, b], 9, 2);
        await town.addViews([a, b], 9, 2);
        await town.addViews([f, a], 2, 3);
      }
      phases.add(phase);
      const here = await productsUnder(town.application, leaf);
      expect(new Set(here.map((each) => each.split(" ")[0])).size).toBe(here.length);
      expect(here.length).toBeGreaterThanOrEqual(places.length - 2);
    }
    expect([...phases]).toEqual(expect.arrayContaining(["splitting", "split"]));
    // Again, as messages do that were under way.
    await town.addViews([a, b], 3, 1);
    await town.addViews([a, b], 9, 2);
    await town.addViews([f, a], 2, 3);
    await town.runAlarmsUntilIdle(leaf);
    const there = await productsUnder(town.application, leafCellAt(far, 0));
    expect([...(await productsUnder(town.application, leaf)), ...there].sort()).toEqual(town.expected);
    const tiles = await tilesUnder(town.application, leaf);
    expect(tiles.every(({ count }) => count <= maxCellProducts)).toBe(true);
    // By the addresses that people remember, also of what has moved since.
    const remembered = [a, b, c, d, f].map((productId) => {
      const cell = productId === c ? old : addressOfProduct({ productId, location: places[0].location });
      const known = town.products.get(productId);
      return { productId, cell: productId === c || !known ? cell : addressOfProduct(known) };
    });
    const columns = await town.columns(remembered);
    expect(Array.from({ length: columns.count }, (_, row) => columns.id(row))).toEqual([a, b, c, d, f]);
    expect([0, 1].map((row) => columns.counts[6 * row])).toEqual([9, 9]);
    expect(nextProductsOf(columns, 0)).toMatchObject([{ productId: b, weight: 2 }]);
    expect(nextProductsOf(columns, 4)).toMatchObject([{ productId: a, weight: 1 }]);
  });

  it("splits by id where all its products are at one point, and those without a place too", async () => {
    const town = new TestIndex("point");
    const ids = Array.from({ length: maxCellProducts + 200 }, (_, i) => `s${i}`);
    await town.put(ids.map((id) => ({ id, location: place })));
    await town.runAlarmsUntilIdle(leaf);
    expect(await productsUnder(town.application, leaf)).toEqual(town.expected);
    const shards = (await tilesUnder(town.application, leaf)).filter(({ meta }) => meta.cell.includes("-"));
    expect(shards.length).toBe(8);
    await town.put([{ id: "s7", location: place }]);
    await town.runAlarmsUntilIdle(leaf);
    expect(await productsUnder(town.application, leaf)).toEqual(town.expected);

    const nowhere = new TestIndex("nowhere");
    const songs = Array.from({ length: 8 * (maxCellProducts + 400) }, (_, i) => `s${i}`);
    const mine = songs.filter((id) => addressOfProduct({ productId: id, location: null }) === "world-3");
    await nowhere.put(mine.slice(0, maxCellProducts + 100).map((id) => ({ id, location: null })));
    await nowhere.runAlarmsUntilIdle("world-3");
    expect(await productsUnder("nowhere", "world-3")).toEqual(nowhere.expected);
    expect((await tilesUnder("nowhere", "world-3")).length).toBe(9);
  });

  it("splits though KV refuses its tile, or its child's, for being too large", async () => {
    const town = new TestIndex("large");
    const child = nextCellToward(leaf, addressOfProduct(shop("")), 0) ?? "";
    for (const cell of [leaf, child]) await town.refuseLargeTiles(cell, maxCellProducts);
    await town.put(Array.from({ length: maxCellProducts + 100 }, (_, i) => shop(`s${i}`)));
    for (let step = 0; step < 60 && (await town.phaseOf(leaf)) !== "split"; step++)
      for (const cell of [leaf, child]) await town.runAlarm(cell);
    expect([await town.phaseOf(leaf), await town.phaseOf(child)]).toEqual(["split", "split"]);
    await town.runAlarmsUntilIdle(leaf);
    expect(await productsUnder(town.application, leaf)).toEqual(town.expected);
  });
});
