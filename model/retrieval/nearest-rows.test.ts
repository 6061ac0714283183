import fc from "fast-check";
import { cellToBoundary, latLngToCell } from "h3-js";
import { describe, expect, it } from "vitest";
import type { Point } from "../../shared/contracts/primitives.ts";
import { maxCellProducts, worldCell } from "../../shared/geo/cells.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { Columns } from "../columns/columns.ts";
import { Random } from "../train/random.ts";
import { compileProductTest } from "./filter.ts";
import { nearestRows } from "./nearest-rows.ts";
import { makeProduct, pyramid, time } from "./testing.ts";
import type { TileSource } from "./tile-source.ts";

/** Products of the densest city in a test; `npm run test:long` uses more. */
const cityProductCount = process.env.VICINITY_LONG === "1" ? 200_000 : 30_000;

/** Queries that are compared with brute force. */
const bruteForceQueries = process.env.VICINITY_LONG === "1" ? 10_000 : 2000;

/** Products within a few km of one point, in the test against brute force. */
const clusterProductCount = process.env.VICINITY_LONG === "1" ? maxCellProducts + 500 : 400;

/** Returns the smallest values, ascending. */
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

const everyProduct = compileProductTest({ point: null, filter: {}, now: time });

describe("nearestRows", () => {
  it("equals brute force anywhere on the globe", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyPoint, { minLength: 1, maxLength: 60 }),
        fc.array(anyPoint, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 12 }),
        async (places, queries, limit) => {
          const products = places.map((place, i) => makeProduct(`p${i}`, place));
          const source = pyramid(products);
          for (const point of queries) {
            const { rows, searched } = await nearestRows(source, {
              point,
              limit,
              radiusKm: 30_000,
              test: everyProduct,
              maxTiles: 10_000,
            });
            const expected = places
              .map((place) => distanceKm(point.lat, point.lon, place.lat, place.lon))
              .sort((a, b) => a - b)
              .slice(0, limit);
            expect(searched.complete).toBe(true);
            expect(rows.map((each) => each.distanceKm)).toEqual(expected);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("equals brute force at poles, the date line and borders of cells", async () => {
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
      ...Array.from({ length: clusterProductCount }, () => around(centers[3], 0.05)),
    ];
    const source = pyramid(places.map((place, i) => makeProduct(`p${i}`, place)));
    const distances = new Float64Array(places.length);
    let differences = 0;
    for (let run = 0; run < bruteForceQueries; run++) {
      const point = run % 4 === 0 ? globe() : run % 4 === 1 ? border() : around(centers[(run % 5) % 4], 2);
      const limit = 1 + (run % 10);
      const { rows, searched } = await nearestRows(source, {
        point,
        limit,
        radiusKm: Number.POSITIVE_INFINITY,
        test: everyProduct,
        maxTiles: 100_000,
      });
      for (const [i, { lat, lon }] of places.entries())
        distances[i] = distanceKm(point.lat, point.lon, lat, lon);
      const expected = smallest(distances, limit);
      if (!searched.complete || rows.some((each, i) => each.distanceKm !== expected[i])) differences++;
      if (rows.length !== limit) differences++;
    }
    expect(differences).toBe(0);
  }, 300_000);

  it("finds the nearest of very many products in a city, and at one point", async () => {
    const generator = new Random(5);
    const random = (): number => generator.next();
    const city = Array.from({ length: cityProductCount }, () => ({
      lat: 48.85 + (random() + random() - 1) / 8,
      lon: 2.35 + (random() + random() - 1) / 6,
    }));
    const shop = Array.from({ length: maxCellProducts + 1000 }, () => ({ lat: 48.8566, lon: 2.3522 }));
    const places = [...city, ...shop];
    const source = pyramid(places.map((place, i) => makeProduct(`p${i}`, place)));
    for (let run = 0; run < 100; run++) {
      const point = { lat: 48.75 + random() / 5, lon: 2.25 + random() / 5 };
      const { rows, searched } = await nearestRows(source, {
        point,
        limit: 500,
        radiusKm: Number.POSITIVE_INFINITY,
        test: everyProduct,
        maxTiles: 64,
      });
      const distances = Float64Array.from(places, ({ lat, lon }) =>
        distanceKm(point.lat, point.lon, lat, lon),
      );
      expect(searched.complete).toBe(true);
      expect(rows.map((each) => each.distanceKm)).toEqual([...distances.sort().subarray(0, 500)]);
    }
    const tiles = await tilesUnder(source, worldCell);
    expect(Math.max(...tiles.map(({ count }) => count))).toBeLessThanOrEqual(maxCellProducts);
    const leaves = tiles.filter(({ meta }) => meta.children.length === 0);
    const ids = leaves.flatMap((tile) => [...tile.idHash]);
    expect([ids.length, new Set(ids).size]).toEqual([places.length, places.length]);
  }, 300_000);

  it("respects the radius and the filter, and says that its limit of tiles ended it", async () => {
    const source = pyramid([
      makeProduct("near", { lat: 48.85, lon: 2.35 }),
      makeProduct("dear", { lat: 48.851, lon: 2.351 }, { priceMinor: 9000 }),
      makeProduct("sale", { lat: 48.852, lon: 2.352 }, { priceMinor: 9000, discount: 0.9 }),
      makeProduct("far", { lat: 51.5, lon: -0.1 }),
    ]);
    const query = { point: { lat: 48.85, lon: 2.35 }, limit: 10, radiusKm: 50, maxTiles: 100 };
    const { rows } = await nearestRows(source, {
      ...query,
      test: compileProductTest({ point: null, filter: { priceMax: 20, currency: "EUR" }, now: time }),
    });
    expect(rows.map(({ tile, row }) => tile.id(row))).toEqual(["near", "sale"]);
    const { searched } = await nearestRows(source, { ...query, test: everyProduct, maxTiles: 2 });
    expect(searched.complete).toBe(false);
  });
});
