import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Point } from "../../workers/shared/contracts/primitives.ts";
import type { ProductChange } from "../../workers/shared/contracts/product.ts";
import { leafCellOf } from "../../workers/shared/geo/cells.ts";
import { distanceKm } from "../../workers/shared/geo/distance.ts";
import { decodeColumns } from "../columns/columns.ts";
import { hash53 } from "../columns/hash.ts";
import { candidates, columnsOf } from "./candidates.ts";
import type { CellProduct } from "./cell-state.ts";
import { compileFilter } from "./filter.ts";
import { buildPyramid } from "./memory.ts";
import { nearest } from "./nearest.ts";
import { hotOf } from "./popularity.ts";

const time = 1_700_000_000;

function product(
  id: string,
  location: Point | null,
  more: Partial<ProductChange> = {},
  purchases = 0,
): CellProduct {
  const counts = { view: 0, click: 0, cart: 0, purchase: purchases, dismiss: 0, people: purchases };
  return {
    change: {
      productId: id,
      version: 1,
      deleted: false,
      title: id,
      category: "cafe",
      price: 10,
      currency: "EUR",
      discount: 0,
      rating: null,
      available: true,
      location,
      previousCell: null,
      createdAt: time,
      ...more,
    },
    totals:
      purchases > 0
        ? {
            productId: id,
            version: purchases,
            lifetime: counts,
            hours: [{ ...counts, hour: Math.floor(time / 3600) }],
          }
        : null,
    followers: [],
  };
}

function pyramid(products: CellProduct[]) {
  const cells = new Map<string, CellProduct[]>();
  for (const each of products) {
    const cell = leafCellOf(each.change.location, hash53(each.change.productId));
    cells.set(cell, [...(cells.get(cell) ?? []), each]);
  }
  return buildPyramid(cells, time, () => () => 0);
}

const anyPoint = fc.record({
  lat: fc.oneof(fc.double({ min: -90, max: 90, noNaN: true }), fc.constantFrom(90, -90, 0)),
  lon: fc.oneof(fc.double({ min: -180, max: 180, noNaN: true }), fc.constantFrom(180, -180, 179.999)),
});

describe("nearest", () => {
  it("equals brute force anywhere on the globe", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyPoint, { minLength: 1, maxLength: 60 }),
        fc.array(anyPoint, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 12 }),
        async (places, queries, limit) => {
          const products = places.map((place, i) => product(`p${i}`, place));
          const source = pyramid(products);
          for (const point of queries) {
            const { found, truncated } = await nearest(source, {
              point,
              limit,
              radiusKm: 30_000,
              test: compileFilter({}),
              maxTiles: 10_000,
            });
            const expected = places
              .map((place) => distanceKm(point.lat, point.lon, place.lat, place.lon))
              .sort((a, b) => a - b)
              .slice(0, limit);
            expect(truncated).toBe(false);
            expect(found.map((each) => each.distanceKm)).toEqual(expected);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("finds its way in a place of very many products", async () => {
    const cell = leafCellOf({ lat: 48.85, lon: 2.35 }, 0);
    const many = Array.from({ length: 150_000 }, (_, i) =>
      product(`p${i}`, { lat: 48.85 + i * 1e-7, lon: 2.35 }),
    );
    const source = buildPyramid(new Map([[cell, many]]), time, () => () => 0);
    const { found, truncated } = await nearest(source, {
      point: { lat: 48.85, lon: 2.35 },
      limit: 3,
      radiusKm: Number.POSITIVE_INFINITY,
      test: compileFilter({}),
      maxTiles: 40,
    });
    expect(found.map(({ tile, row }) => tile.id(row))).toEqual(["p0", "p1", "p2"]);
    expect(truncated).toBe(false);
  });

  it("keeps to the radius and the filter, and says when it may not read on", async () => {
    const source = pyramid([
      product("near", { lat: 48.85, lon: 2.35 }),
      product("dear", { lat: 48.851, lon: 2.351 }, { price: 90 }),
      product("sale", { lat: 48.852, lon: 2.352 }, { price: 90, discount: 0.9 }),
      product("far", { lat: 51.5, lon: -0.1 }),
    ]);
    const query = { point: { lat: 48.85, lon: 2.35 }, limit: 10, radiusKm: 50, maxTiles: 100 };
    const { found } = await nearest(source, { ...query, test: compileFilter({ priceMax: 20 }) });
    expect(found.map(({ tile, row }) => tile.id(row))).toEqual(["near", "sale"]);
    expect((await nearest(source, { ...query, test: compileFilter({}), maxTiles: 2 })).truncated).toBe(true);
  });
});

describe("candidates", () => {
  const products = [
    ...Array.from({ length: 300 }, (_, i) =>
      product(`paris-${i}`, { lat: 48.8 + i / 3000, lon: 2.3 }, {}, i % 7),
    ),
    ...Array.from({ length: 300 }, (_, i) =>
      product(`tokyo-${i}`, { lat: 35.6 + i / 3000, lon: 139.7 }, {}, i % 7),
    ),
    product("song", null, { category: "music" }, 50),
  ];
  const source = pyramid(products);

  it("are near the place asked for, the popular of them first, with a share for what is popular anywhere", async () => {
    const columns = decodeColumns(
      await candidates(source, { point: { lat: 48.85, lon: 2.3 }, limit: 100, filter: {}, now: time }),
    );
    const ids = Array.from({ length: columns?.count ?? 0 }, (_, i) => columns?.id(i) ?? "");
    expect(ids).toHaveLength(100);
    expect(new Set(ids).size).toBe(100);
    expect(ids.filter((id) => id.startsWith("paris")).length).toBeGreaterThanOrEqual(90);
    expect(ids).toContain("song");
  });

  it("are the world's best where there is no place, and obey the filter", async () => {
    const world = decodeColumns(await candidates(source, { point: null, limit: 50, filter: {}, now: time }));
    expect(world?.count).toBe(50);
    const music = decodeColumns(
      await candidates(source, {
        point: { lat: 0, lon: 0 },
        limit: 50,
        filter: { categories: ["music"] },
        now: time,
      }),
    );
    expect(music?.count).toBe(1);
    expect(music?.id(0)).toBe("song");
  });

  it("finds named products, each once", async () => {
    const cell = leafCellOf({ lat: 48.8, lon: 2.3 }, 0);
    const columns = decodeColumns(
      await columnsOf(
        source,
        [
          { productId: "paris-0", cell },
          { productId: "paris-0", cell },
          { productId: "nowhere", cell },
        ],
        time + 86_400,
      ),
    );
    expect(columns?.count).toBe(1);
    expect(columns?.id(0)).toBe("paris-0");
  });
});

describe("hotOf", () => {
  it("halves with each half-life and ignores the order of hours", () => {
    const hour = {
      hour: Math.floor(time / 3600),
      view: 1,
      click: 0,
      cart: 0,
      purchase: 0,
      dismiss: 0,
      people: 1,
    };
    const older = { ...hour, hour: hour.hour - 24 };
    const at = hour.hour * 3600;
    expect(hotOf([hour], at)).toEqual([1, 1, 1]);
    expect(hotOf([older], at)[0]).toBeCloseTo(0.5, 9);
    expect(hotOf([hour, older], at)).toEqual(hotOf([older, hour], at));
  });
});
