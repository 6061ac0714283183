import { compileProductTest } from "../../model/retrieval/filter.ts";
import { nearestRows } from "../../model/retrieval/nearest-rows.ts";
import { maxTilesPerSearch } from "../../model/retrieval/search-limits.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { BenchContext } from "../context.ts";
import { sampleRequestOrigins } from "../data/generated-market.ts";
import { leafTiles } from "../data/indexed-market.ts";
import { measureMicroseconds } from "../timing.ts";

/** Rows to return, and the maximum number of tiles to read: the location worker's own limits. */
const limit = 500;
const maxTiles = maxTilesPerSearch;
const productTest = compileProductTest({ point: null, filter: {}, now: Date.now() / 1000 });

/** Measures a query for the 500 nearest products over tiles in memory, in microseconds. */
export async function measureNearby(context: BenchContext): Promise<void> {
  const { market } = context;
  const { tiles } = market;
  const origins = sampleRequestOrigins(market, 200, 2);
  const query = (run: number) => ({
    point: origins[run % origins.length].point,
    limit,
    radiusKm: Number.POSITIVE_INFINITY,
    test: productTest,
    maxTiles,
  });
  const summary = await measureMicroseconds((run) => nearestRows(tiles, query(run)), {
    warmUp: 200,
    runs: 4000,
    seconds: 15,
  });

  const leaves = await leafTiles(tiles);
  const rows = leaves.reduce((sum, leaf) => sum + leaf.count, 0);
  const fullScan = await measureMicroseconds(
    (run) => {
      const { lat, lon } = query(run).point;
      const distances = new Float64Array(rows);
      let at = 0;
      for (const leaf of leaves)
        for (let row = 0; row < leaf.count; row++)
          distances[at++] = distanceKm(lat, lon, leaf.lat[row], leaf.lon[row]);
      return distances.sort().subarray(0, limit);
    },
    { warmUp: 5, runs: 100, seconds: 5 },
  );

  const answers = await Promise.all(origins.map((_, run) => nearestRows(tiles, query(run))));
  const minimum = await measureMicroseconds(
    (run) => {
      const { lat, lon } = query(run).point;
      const { rows } = answers[run % answers.length];
      return Float64Array.from(rows, ({ tile, row }) =>
        distanceKm(lat, lon, tile.lat[row], tile.lon[row]),
      ).sort();
    },
    { warmUp: 200, runs: 1000, seconds: 3 },
  );
  const incomplete = answers.filter(({ searched }) => !searched.complete).length;
  if (incomplete > 0)
    context.addNote(`nearby: ${incomplete} of ${answers.length} searches were not complete`);
  context.figures.push({
    section: "nearby",
    name: `nearest ${limit} products, tiles in memory`,
    unit: "us",
    ...summary,
    baseline: {
      label: `distances of all ${rows.toLocaleString("en")} products, sorted`,
      value: fullScan.p50,
    },
    limit: { label: `distances of the ${limit} results alone, sorted`, value: minimum.p50 },
  });
}
