/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { compileProductTest } from "../../../model/retrieval/filter.ts";
import { nearestRows } from "../../../model/retrieval/nearest-rows.ts";
import { Random } from "../../../model/train/random.ts";
import { maxCellProducts, worldCell } from "../../../shared/geo/cells.ts";
import { distanceKm } from "../../../shared/geo/distance.ts";
import { productsUnder, TestIndex, tilesUnder, uncachedTiles } from "../testing/test-index.ts";

const { LONG }: { LONG?: boolean } = env as object;

/** Number of products. `npm run test:long` uses the number that one city must support. */
const products = LONG ? 200_000 : 2 * maxCellProducts;
const center = { lat: 48.8566, lon: 2.3522 };
const queries = 20;

it("splits the cells of a city with many products, and finds all products in order of distance", async () => {
  const random = new Random(11);
  const spread = (): number => (random.next() + random.next() + random.next() - 1.5) / 1.5;
  const index = new TestIndex("city");
  const places = Array.from({ length: products }, (_, i) => ({
    id: `p${i}`,
    location: { lat: center.lat + spread() * 0.1, lon: center.lon + spread() * 0.15 },
  }));
  for (let i = 0; i < products; i += 20_000) {
    await index.put(places.slice(i, i + 20_000));
    await index.runAlarmsUntilIdle(worldCell);
  }
  expect(await productsUnder("city")).toEqual(index.expected);
  const tiles = await tilesUnder("city", worldCell);
  expect(Math.max(...tiles.map(({ count }) => count))).toBeLessThanOrEqual(maxCellProducts);
  const source = uncachedTiles("city");
  for (let run = 0; run < queries; run++) {
    const point = { lat: center.lat + spread() * 0.12, lon: center.lon + spread() * 0.18 };
    const { rows, searched } = await nearestRows(source, {
      point,
      limit: 500,
      radiusKm: Number.POSITIVE_INFINITY,
      test: compileProductTest({ point: null, filter: {}, now: 0 }),
      maxTiles: 64,
    });
    const distances = Float64Array.from(places, ({ location }) =>
      distanceKm(point.lat, point.lon, location.lat, location.lon),
    ).sort();
    expect(searched.complete).toBe(true);
    expect(rows.map((each) => each.distanceKm)).toEqual([...distances.subarray(0, 500)]);
  }
}, 1_200_000);
