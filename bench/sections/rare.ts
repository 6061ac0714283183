import { compileProductTest } from "../../model/retrieval/filter.ts";
import { defaultFirstStage } from "../../model/retrieval/first-stage.ts";
import { firstStageCandidates } from "../../model/retrieval/first-stage-candidates.ts";
import type { TileSource } from "../../model/retrieval/tile-source.ts";
import { simulatedCities } from "../../model/simulate/cities.ts";
import type { DecidedFilter } from "../../shared/contracts/location.ts";
import type { BenchContext } from "../context.ts";
import { leafTiles } from "../data/indexed-market.ts";
import { buildWideCatalog, rareCategory } from "../data/wide-catalog.ts";
import { measureMilliseconds } from "../timing.ts";

const productCount = 1_000_000;
/** Longest time of a search, in milliseconds. */
const maxMilliseconds = 250;
const now = Date.UTC(2026, 0, 5) / 1000;
const runs = { warmUp: 5, runs: 200, seconds: 20 };

/** Searches that read far: for one product of the catalog, and for products that no cell excludes and none has. */
const searches: { name: string; filter: DecidedFilter }[] = [
  { name: "the one product of its category", filter: { categories: [rareCategory] } },
  {
    name: "a price that its category never has",
    filter: { categories: ["category 5"], priceMin: 10, priceMax: 11, currency: "EUR" },
  },
];

/** Measures searches for rare products in a catalog of a million, against a scan of all rows. */
export async function measureRare(context: BenchContext): Promise<void> {
  context.log(`generating a catalog of ${productCount.toLocaleString("en")} products in memory`);
  const tiles = buildWideCatalog(productCount, now);
  const leaves = await leafTiles(tiles);
  for (const { name, filter } of searches) {
    let reads = 0;
    const counting: TileSource = {
      tile: (cell) => {
        reads++;
        return tiles.tile(cell);
      },
    };
    const search = (run: number) =>
      firstStageCandidates(counting, {
        point: simulatedCities[run % simulatedCities.length],
        usual: [],
        categories: [],
        hour: null,
        limit: 500,
        filter,
        now,
        weights: defaultFirstStage,
      });
    const found = await search(0);
    const readsOfOne = reads;
    const summary = await measureMilliseconds(search, runs);
    const test = compileProductTest({ point: null, filter, now: Date.now() / 1000 }).row;
    const fullScan = await measureMilliseconds(
      () => {
        let matches = 0;
        for (const leaf of leaves) for (let row = 0; row < leaf.count; row++) if (test(leaf, row)) matches++;
        return matches;
      },
      { warmUp: 1, runs: 10, seconds: 10 },
    );
    const { searched } = found.meta;
    context.addNote(
      `rare: ${name}: ${readsOfOne} of ${leaves.length} leaf tiles and their parents read, ${found.count} found, complete: ${searched?.complete}, radius ${Math.round(searched?.radiusKm ?? 0)} km`,
    );
    context.figures.push({
      section: "rare",
      name: `search among ${productCount.toLocaleString("en")} products for ${name}`,
      unit: "ms",
      ...summary,
      baseline: { label: "scan of all rows, tiles in memory", value: fullScan.p50 },
      limit: { label: "required", value: maxMilliseconds },
    });
  }
}
