import fc from "fast-check";
import { cellToBoundary, latLngToCell } from "h3-js";
import { describe, expect, it } from "vitest";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { ProductChange } from "../../shared/contracts/product.ts";
import { leafCellAt, maxCellProducts, worldCell } from "../../shared/geo/cells.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { Columns } from "../columns/columns.ts";
import { hash32 } from "../columns/hash.ts";
import { Random } from "../train/random.ts";
import { buildPyramid } from "./build-pyramid.ts";
import { addressOfProduct, type CellProduct } from "./cell-product.ts";
import { decayedEngagement } from "./engagement.ts";
import { compileFilter } from "./filter.ts";
import { defaultFirstStage } from "./first-stage.ts";
import { firstStageCandidates } from "./first-stage-candidates.ts";
import { localRadiusKm } from "./local-radius.ts";
import { nearestRows } from "./nearest-rows.ts";
import { productColumns } from "./product-columns.ts";
import type { TileSource } from "./tile-source.ts";
import { topIndices } from "./top-indices.ts";

const time = 1_700_000_000;

function product(
  id: string,
  location: Point | null,
  more: Partial<ProductChange> = {},
  purchases = 0,
): CellProduct {
  const counts = { view: 0, click: 0, cart: 0, purchase: purchases, dismiss: 0, people: purchases };
  return {
    cell: addressOfProduct({ productId: id, location }),
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
    hours: purchases > 0 ? [{ ...counts, hour: Math.floor(time / 3600) }] : [],
    nextProducts: [],
  };
}

const pyramid = (products: CellProduct[]) => buildPyramid(products, time, () => () => 0);

/** Products of the densest city in a test; `npm run test:long` takes more. */
const inOneCity = process.env.VICINITY_LONG === "1" ? 200_000 : 30_000;

const atOnePlace = process.env.VICINITY_LONG === "1" ? maxCellProducts + 500 : 400;

/** The smallest values, ascending. */
function smallest(values: Float64Array, count: number): number[] {
  const kept: number[] = [];
  for (const value of values) {
    if (kept.length === count && value >= kept[count - 1]) continue;
    let at = kept.length;
    while (at > 0 && kept[at - 1] > value) at--;
    kept.splice(at, 0, value);
    if (kept.length > count) kept.pop();
  }
  return kept;
}

async function tilesUnder(source: TileSource, root: string): Promise<Columns[]> {
  const tiles: Columns[] = [];
  const open = [root];
  for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
    const tile = await source.tile(cell);
    if (!tile) continue;
    tiles.push(tile);
    open.push(...tile.meta.children.map((child) => child.cell));
  }
  return tiles;
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
            const { rows, truncated } = await nearestRows(source, {
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
            expect(rows.map((each) => each.distanceKm)).toEqual(expected);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("equals brute force in 10,000 queries: over poles, date line and borders of cells", async () => {
    const generator = new Random(11);
    const random = (): number => generator.next();
    const globe = (): Point => ({
      lat: (Math.asin(2 * random() - 1) * 180) / Math.PI,
      lon: 360 * random() - 180,
    });
    const centers: Point[] = [
      { lat: 90, lon: 0 },
      { lat: -90, lon: 0 },
      { lat: 0, lon: 180 },
      { lat: 48.85, lon: 2.35 },
    ];
    const around = ({ lat, lon }: Point, degrees: number): Point => ({
      lat: Math.max(-90, Math.min(90, lat + degrees * (random() - 0.5))),
      lon: ((((lon + degrees * (random() - 0.5) + 180) % 360) + 360) % 360) - 180,
    });
    const border = (): Point => {
      const at = around(centers[3], 0.3);
      const [lat, lon] = cellToBoundary(latLngToCell(at.lat, at.lon, 6 + Math.floor(4 * random())))[0];
      return { lat, lon };
    };
    const places = [
      ...Array.from({ length: 600 }, globe),
      ...centers.flatMap((center) => Array.from({ length: 300 }, () => around(center, 2))),
      ...Array.from({ length: atOnePlace }, () => around(centers[3], 0.05)),
    ];
    const source = pyramid(places.map((place, i) => product(`p${i}`, place)));
    const distances = new Float64Array(places.length);
    let differences = 0;
    for (let run = 0; run < 10_000; run++) {
      const point = run % 4 === 0 ? globe() : run % 4 === 1 ? border() : around(centers[(run % 5) % 4], 2);
      const limit = 1 + (run % 10);
      const { rows, truncated } = await nearestRows(source, {
        point,
        limit,
        radiusKm: Number.POSITIVE_INFINITY,
        test: () => true,
        maxTiles: 100_000,
      });
      for (const [i, { lat, lon }] of places.entries())
        distances[i] = distanceKm(point.lat, point.lon, lat, lon);
      const expected = smallest(distances, limit);
      if (truncated || rows.some((each, i) => each.distanceKm !== expected[i])) differences++;
      if (rows.length !== limit) differences++;
    }
    expect(differences).toBe(0);
  }, 300_000);

  it("finds its way in a city, and at a point, of very many products", async () => {
    const generator = new Random(5);
    const random = (): number => generator.next();
    const city = Array.from({ length: inOneCity }, () => ({
      lat: 48.85 + (random() + random() - 1) / 8,
      lon: 2.35 + (random() + random() - 1) / 6,
    }));
    const shop = Array.from({ length: maxCellProducts + 1000 }, () => ({ lat: 48.8566, lon: 2.3522 }));
    const places = [...city, ...shop];
    const source = pyramid(places.map((place, i) => product(`p${i}`, place)));
    for (let run = 0; run < 100; run++) {
      const point = { lat: 48.75 + random() / 5, lon: 2.25 + random() / 5 };
      const { rows, truncated } = await nearestRows(source, {
        point,
        limit: 500,
        radiusKm: Number.POSITIVE_INFINITY,
        test: () => true,
        maxTiles: 64,
      });
      const distances = Float64Array.from(places, ({ lat, lon }) =>
        distanceKm(point.lat, point.lon, lat, lon),
      );
      expect(truncated).toBe(false);
      expect(rows.map((each) => each.distanceKm)).toEqual([...distances.sort().subarray(0, 500)]);
    }
    const tiles = await tilesUnder(source, worldCell);
    expect(Math.max(...tiles.map(({ count }) => count))).toBeLessThanOrEqual(maxCellProducts);
    const leaves = tiles.filter(({ meta }) => meta.children.length === 0);
    const ids = leaves.flatMap((tile) => [...tile.idHash]);
    expect([ids.length, new Set(ids).size]).toEqual([places.length, places.length]);
  }, 300_000);

  it("keeps to the radius and the filter, and says when it may not read on", async () => {
    const source = pyramid([
      product("near", { lat: 48.85, lon: 2.35 }),
      product("dear", { lat: 48.851, lon: 2.351 }, { price: 90 }),
      product("sale", { lat: 48.852, lon: 2.352 }, { price: 90, discount: 0.9 }),
      product("far", { lat: 51.5, lon: -0.1 }),
    ]);
    const query = { point: { lat: 48.85, lon: 2.35 }, limit: 10, radiusKm: 50, maxTiles: 100 };
    const { rows } = await nearestRows(source, { ...query, test: compileFilter({ priceMax: 20 }) });
    expect(rows.map(({ tile, row }) => tile.id(row))).toEqual(["near", "sale"]);
    expect((await nearestRows(source, { ...query, test: compileFilter({}), maxTiles: 2 })).truncated).toBe(
      true,
    );
  });
});

describe("candidates", () => {
  const products = [
    ...Array.from({ length: 300 }, (_, i) =>
      product(`paris-${i}`, { lat: 48.8 + i / 3000, lon: 2.3 }, {}, i % 7),
    ),
    ...Array.from({ length: 300 }, (_, i) =>
      product(`meaux-${i}`, { lat: 48.9 + i / 3000, lon: 2.88 }, {}, i % 7),
    ),
    ...Array.from({ length: 300 }, (_, i) =>
      product(`tokyo-${i}`, { lat: 35.6 + i / 3000, lon: 139.7 }, {}, i % 7),
    ),
    product("song", null, { category: "music" }, 50),
  ];
  const source = pyramid(products);

  const query = { usual: [], categories: [], hour: 12, filter: {}, now: time, weights: defaultFirstStage };
  const idsOf = (columns: Columns): string[] =>
    Array.from({ length: columns.count }, (_, i) => columns.id(i));

  it("are near the place asked for, the popular of them first, with what is popular anywhere", async () => {
    const ids = idsOf(
      await firstStageCandidates(source, { ...query, point: { lat: 48.85, lon: 2.3 }, limit: 100 }),
    );
    expect(ids).toHaveLength(100);
    expect(new Set(ids).size).toBe(100);
    expect(ids.filter((id) => id.startsWith("paris")).length).toBe(99);
    expect(ids).toContain("song");
  });

  it("are near where the person usually is, as much as the weights say", async () => {
    const usual = [{ lat: 48.95, lon: 2.88, weight: 1 }];
    const point = { lat: 48.85, lon: 2.3 };
    const meaux = async (weight: number): Promise<number> => {
      const weights = { ...defaultFirstStage, usual: weight };
      return idsOf(
        await firstStageCandidates(source, { ...query, point, usual, limit: 100, weights }),
      ).filter((id) => id.startsWith("meaux")).length;
    };
    expect(await meaux(0)).toBe(0);
    expect(await meaux(1)).toBeGreaterThan(20);
    expect(await meaux(100)).toBeGreaterThan(90);
  });

  it("read nothing beyond reach where enough is within it", async () => {
    const read = new Set<string>();
    const counting = {
      ...source,
      tile: (cell: string) => {
        read.add(cell);
        return source.tile(cell);
      },
    };
    const here = { lat: 48.85, lon: 2.3 };
    const usual = [{ lat: 35.65, lon: 139.7, weight: 1 }];
    await firstStageCandidates(counting, { ...query, point: here, usual, limit: 500 });
    const tiles = await Promise.all([...read].map((cell) => source.tile(cell)));
    const leaves = tiles.filter((tile) => tile?.meta.children.length === 0 && !Number.isNaN(tile.lat[0]));
    expect(leaves.length).toBeGreaterThan(5);
    for (const tile of leaves)
      expect(distanceKm(here.lat, here.lon, tile?.lat[0] ?? 0, tile?.lon[0] ?? 0)).toBeLessThan(
        localRadiusKm + 10,
      );
    // Nothing of jazz is near: then what is far is looked at.
    const jazz = { ...query, filter: { categories: ["jazz"] } };
    const far = pyramid([
      ...products,
      product("tokyo-jazz", { lat: 35.6, lon: 139.7 }, { category: "jazz" }),
    ]);
    expect(idsOf(await firstStageCandidates(far, { ...jazz, point: here, limit: 100 }))).toEqual([
      "tokyo-jazz",
    ]);
  });

  it("show what nobody chose yet by the weight of being new", async () => {
    const fresh = async (weight: number): Promise<number> => {
      const weights = { ...defaultFirstStage, fresh: weight };
      const ids = idsOf(
        await firstStageCandidates(source, { ...query, point: { lat: 48.85, lon: 2.3 }, limit: 30, weights }),
      );
      return ids.filter((id) => id !== "song" && Number(id.split("-")[1]) % 7 === 0).length;
    };
    expect(await fresh(-10)).toBe(0);
    expect(await fresh(10)).toBe(30);
  });

  it("lean to what the person chose before, and to what everyone chooses at this hour", async () => {
    // Half are bars, chosen at the hour of `time`; half are cafes, chosen twelve hours later.
    const hourOf = (at: number): number => Math.floor(at / 3600) % 24;
    const source = pyramid(
      Array.from({ length: 200 }, (_, i) => {
        const bar = i % 2 === 0;
        const each = product(
          `p${i}`,
          { lat: 48.85, lon: 2.35 + i * 1e-6 },
          { category: bar ? "bar" : "cafe" },
          5,
        );
        if (!bar) each.hours = each.hours.map((hours) => ({ ...hours, hour: hours.hour + 12 }));
        return each;
      }),
    );
    const bars = async (more: Partial<Parameters<typeof firstStageCandidates>[1]>): Promise<number> => {
      const found = await firstStageCandidates(source, {
        ...query,
        point: { lat: 48.85, lon: 2.35 },
        limit: 50,
        ...more,
      });
      return Array.from({ length: found.count }, (_, row) => row).filter(
        (row) => found.strings[found.category[row]] === "bar",
      ).length;
    };
    expect(await bars({ hour: hourOf(time) })).toBe(50);
    expect(await bars({ hour: hourOf(time) + (hourOf(time) < 12 ? 12 : -12) })).toBe(0);
    const cafes = [{ hash: hash32("cafe"), choices: 8 }];
    expect(await bars({ hour: null, categories: cafes })).toBe(0);
    expect(await bars({ hour: null, categories: [{ hash: hash32("bar"), choices: 8 }] })).toBe(50);
    const weights = { ...defaultFirstStage, category: 0 };
    expect(await bars({ hour: null, categories: cafes, weights })).toBeGreaterThan(20);
  });

  it("are the world's best where there is no place, and obey filter and radius", async () => {
    const world = await firstStageCandidates(source, { ...query, point: null, limit: 50 });
    expect(world.count).toBe(50);
    expect(world.id(0)).toBe("song");
    const music = await firstStageCandidates(source, {
      ...query,
      point: { lat: 0, lon: 0 },
      limit: 50,
      filter: { categories: ["music"] },
    });
    expect(idsOf(music)).toEqual(["song"]);
    const close = await firstStageCandidates(source, {
      ...query,
      point: { lat: 48.8, lon: 2.3 },
      limit: 50,
      filter: { radiusKm: 0.2 },
    });
    expect(idsOf(close).sort()).toEqual(
      ["paris-0", "paris-1", "paris-2", "paris-3", "paris-4", "paris-5"].slice(0, close.count),
    );
    expect(close.count).toBeGreaterThan(3);
  });

  it("finds named products, each once, in their order, the first with their neighbours", async () => {
    const cell = leafCellAt({ lat: 48.8, lon: 2.3 }, 0);
    const wanted = ["paris-1", "paris-0", "paris-0", "nowhere"].map((productId) => ({ productId, cell }));
    const columns = await productColumns(source, wanted, time + 86_400, 1);
    expect(idsOf(columns)).toEqual(["paris-1", "paris-0"]);
  });
});

describe("top", () => {
  it("is the head of a full sort", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 })), fc.nat(12), (scores, k) => {
        const sorted = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
        expect(topIndices(scores, scores.length, k)).toEqual(sorted.slice(0, k));
      }),
    );
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
    expect(decayedEngagement([hour], at)).toEqual([1, 1, 1]);
    expect(decayedEngagement([older], at)[0]).toBeCloseTo(0.5, 9);
    expect(decayedEngagement([hour, older], at)).toEqual(decayedEngagement([older, hour], at));
  });
});
