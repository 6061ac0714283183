import { compileFilter } from "../../model/retrieval/filter.ts";
import { nearestRows } from "../../model/retrieval/nearest-rows.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { BenchContext } from "../context.ts";
import { sampleRequestOrigins } from "../data/market.ts";
import { leafTiles } from "../data/world.ts";
import { measureMicroseconds } from "../timing.ts";

/** Rows wanted, and the most tiles that are read for them: as the location worker asks. */
const limit = 500;
const maxTiles = 64;
const test = compileFilter({});

/** The nearest 500 products over hot tiles in memory, in microseconds. */
export async function measureNearby(context: BenchContext): Promise<void> {
  const { market: world } = context;
  const { tiles } = world;
  const visits = sampleRequestOrigins(world, 200, 2);
  const query = (run: number) => ({
    point: visits[run % visits.length].point,
    limit,
    radiusKm: Number.POSITIVE_INFINITY,
    test,
    maxTiles,
  });
  const summary = await measureMicroseconds((run) => nearestRows(tiles, query(run)), {
    warmUp: 200,
    runs: 4000,
    seconds: 15,
  });

  const leaves = await leafTiles(tiles);
  const rows = leaves.reduce((sum, leaf) => sum + leaf.count, 0);
  const all = await measureMicroseconds(
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

  const answers = await Promise.all(visits.map((_, run) => nearestRows(tiles, query(run))));
  const least = await measureMicroseconds(
    (run) => {
      const { lat, lon } = query(run).point;
      const { found } = answers[run % answers.length];
      return Float64Array.from(found, ({ tile, row }) =>
        distanceKm(lat, lon, tile.lat[row], tile.lon[row]),
      ).sort();
    },
    { warmUp: 200, runs: 1000, seconds: 3 },
  );
  const truncated = answers.filter((answer) => answer.truncated).length;
  if (truncated > 0) context.addNote(`nearby: ${truncated} of ${answers.length} answers were truncated`);
  context.figures.push({
    section: "nearby",
    name: `k = ${limit}, hot tiles`,
    unit: "us",
    ...summary,
    baseline: { label: `all ${rows.toLocaleString("en")} measured and sorted`, value: all.p50 },
    limit: { label: `only these ${limit} measured and sorted`, value: least.p50 },
  });
}
