/// <reference types="@cloudflare/vitest-plugin/types" />
import { describe, expect, it } from "vitest";
import { nextProductsOf } from "../../../model/columns/columns.ts";
import { columnWidth } from "../../../model/columns/layout.ts";
import { addressOfProduct } from "../../../model/tiles/cell-product.ts";
import { leafCellAt, maxCellProducts, nextCellToward } from "../../../shared/geo/cells.ts";
import { productsUnder, TestIndex, tilesUnder } from "../testing/test-index.ts";

const place = { lat: 59.91, lon: 10.75 };
const leaf = leafCellAt(place, 0);
/** Returns products within about 2 km of the place, all in its leaf. */
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

describe("a cell with more products than its limit", () => {
  it("splits despite evictions at every step, while products change, and always shows every product once", async () => {
    const index = new TestIndex("whole");
    const places = spread(maxCellProducts + 300);
    await index.put(places);
    await index.addViews(
      ["p1", "p0"].filter((id) => index.products.has(id)),
      5,
      4,
    );
    const [a, b, c, d, e, f] = [...index.products.keys()].slice(100);
    await index.addViews([a, b], 3, 1);
    const old = addressOfProduct(index.products.get(c) as never);
    const elsewhere = places.find(({ location }) => addressOfProduct({ productId: c, location }) !== old);
    if (!elsewhere) throw new Error("all products have the same address");
    const far = { lat: 60.39, lon: 5.32 };
    const phases = new Set<string | undefined>();
    for (let step = 0; step < 60 && !phases.has("split"); step++) {
      await index.runAlarm(leaf, step);
      const phase = await index.phaseOf(leaf);
      // During the split: an update, a move within the cell, a move out of it, a deletion, interactions.
      if (phase === "splitting" && !phases.has("splitting")) {
        await index.put([{ id: b, location: index.products.get(b)?.location ?? null }]);
        await index.put([{ id: c, location: elsewhere.location }]);
        await index.put([{ id: d, location: far }]);
        await index.remove(e);
        await index.put([{ id: "new", location: place }]);
        await index.addViews([a, b], 9, 2);
        await index.addViews([a, b], 9, 2);
        await index.addViews([f, a], 2, 3);
      }
      phases.add(phase);
      const here = await productsUnder(index.application, leaf);
      expect(new Set(here.map((each) => each.split(" ")[0])).size).toBe(here.length);
      expect(here.length).toBeGreaterThanOrEqual(places.length - 2);
    }
    expect([...phases]).toEqual(expect.arrayContaining(["splitting", "split"]));
    // Repeat the interactions, as the queue may deliver a message twice.
    await index.addViews([a, b], 3, 1);
    await index.addViews([a, b], 9, 2);
    await index.addViews([f, a], 2, 3);
    await index.runAlarmsUntilIdle(leaf);
    const there = await productsUnder(index.application, leafCellAt(far, 0));
    expect([...(await productsUnder(index.application, leaf)), ...there].sort()).toEqual(index.expected);
    const tiles = await tilesUnder(index.application, leaf);
    expect(tiles.every(({ count }) => count <= maxCellProducts)).toBe(true);
    // Profiles hold the addresses of earlier events, which are outdated for moved products.
    const remembered = [a, b, c, d, f].map((productId) => {
      const cell = productId === c ? old : addressOfProduct({ productId, location: places[0].location });
      const known = index.products.get(productId);
      return { productId, cell: productId === c || !known ? cell : addressOfProduct(known) };
    });
    const columns = await index.columns(remembered);
    expect(Array.from({ length: columns.count }, (_, row) => columns.id(row))).toEqual([a, b, c, d, f]);
    expect([0, 1].map((row) => columns.counts[columnWidth.counts * row])).toEqual([9, 9]);
    expect(nextProductsOf(columns, 0)).toMatchObject([{ productId: b, weight: 2 }]);
    expect(nextProductsOf(columns, 4)).toMatchObject([{ productId: a, weight: 1 }]);
  });

  it("splits by product id if all products have one location, or none", async () => {
    const index = new TestIndex("point");
    const ids = Array.from({ length: maxCellProducts + 200 }, (_, i) => `s${i}`);
    await index.put(ids.map((id) => ({ id, location: place })));
    await index.runAlarmsUntilIdle(leaf);
    expect(await productsUnder(index.application, leaf)).toEqual(index.expected);
    const shards = (await tilesUnder(index.application, leaf)).filter(({ meta }) => meta.cell.includes("-"));
    expect(shards.length).toBe(8);
    await index.put([{ id: "s7", location: place }]);
    await index.runAlarmsUntilIdle(leaf);
    expect(await productsUnder(index.application, leaf)).toEqual(index.expected);

    const nowhere = new TestIndex("nowhere");
    const songs = Array.from({ length: 8 * (maxCellProducts + 400) }, (_, i) => `s${i}`);
    const mine = songs.filter((id) => addressOfProduct({ productId: id, location: null }) === "world-3");
    await nowhere.put(mine.slice(0, maxCellProducts + 100).map((id) => ({ id, location: null })));
    await nowhere.runAlarmsUntilIdle("world-3");
    expect(await productsUnder("nowhere", "world-3")).toEqual(nowhere.expected);
    expect((await tilesUnder("nowhere", "world-3")).length).toBe(9);
  });

  it("splits although KV refuses its tile, or its child's tile, as too large", async () => {
    const index = new TestIndex("large");
    const child = nextCellToward(leaf, addressOfProduct(shop("")), 0) ?? "";
    for (const cell of [leaf, child]) await index.refuseLargeTiles(cell, maxCellProducts);
    await index.put(Array.from({ length: maxCellProducts + 100 }, (_, i) => shop(`s${i}`)));
    for (let step = 0; step < 60 && (await index.phaseOf(leaf)) !== "split"; step++)
      for (const cell of [leaf, child]) await index.runAlarm(cell);
    expect([await index.phaseOf(leaf), await index.phaseOf(child)]).toEqual(["split", "split"]);
    await index.runAlarmsUntilIdle(leaf);
    expect(await productsUnder(index.application, leaf)).toEqual(index.expected);
  });
});
