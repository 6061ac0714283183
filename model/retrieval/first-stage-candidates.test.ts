import { describe, expect, it } from "vitest";
import { maxCellProducts } from "../../shared/geo/cells.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { defaultFirstStage } from "./first-stage.ts";
import { firstStageCandidates } from "./first-stage-candidates.ts";
import { usualReachKm } from "./reach.ts";
import { maxConcurrentReads, maxRowsPerSearch } from "./search-limits.ts";
import { idsOf, makeProduct, pyramid, time } from "./testing.ts";

const products = [
  ...Array.from({ length: 300 }, (_, i) =>
    makeProduct(`paris-${i}`, { lat: 48.8 + i / 3000, lon: 2.3 }, {}, i % 7),
  ),
  ...Array.from({ length: 300 }, (_, i) =>
    makeProduct(`meaux-${i}`, { lat: 48.9 + i / 3000, lon: 2.88 }, {}, i % 7),
  ),
  ...Array.from({ length: 300 }, (_, i) =>
    makeProduct(`tokyo-${i}`, { lat: 35.6 + i / 3000, lon: 139.7 }, {}, i % 7),
  ),
  makeProduct("song", null, { category: "music" }, 50),
];
const source = pyramid(products);

describe("firstStageCandidates", () => {
  const query = { usual: [], categories: [], hour: 12, filter: {}, now: time, weights: defaultFirstStage };

  it("returns products near the point, popular ones first, and popular products without a location", async () => {
    const ids = idsOf(
      await firstStageCandidates(source, { ...query, point: { lat: 48.85, lon: 2.3 }, limit: 100 }),
    );
    expect(ids).toHaveLength(100);
    expect(new Set(ids).size).toBe(100);
    expect(ids.filter((id) => id.startsWith("paris")).length).toBe(99);
    expect(ids).toContain("song");
  });

  it("returns products near usual places, according to the weights", async () => {
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

  it("reads no tile beyond the local radius if there are enough products within it", async () => {
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
        usualReachKm + 10,
      );
    // No jazz nearby: the search goes beyond the local radius.
    const jazz = { ...query, filter: { categories: ["jazz"] } };
    const far = pyramid([
      ...products,
      makeProduct("tokyo-jazz", { lat: 35.6, lon: 139.7 }, { category: "jazz" }),
    ]);
    expect(idsOf(await firstStageCandidates(far, { ...jazz, point: here, limit: 100 }))).toEqual([
      "tokyo-jazz",
    ]);
  });

  it("returns products that nobody has chosen, according to the weight `fresh`", async () => {
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

  it("prefers categories that the user chose before, and those that all users choose at this hour", async () => {
    // Half are bars, which people choose at the hour of `time`; half are cafes, chosen twelve hours later.
    const hourOf = (at: number): number => Math.floor(at / 3600) % 24;
    const source = pyramid(
      Array.from({ length: 200 }, (_, i) => {
        const bar = i % 2 === 0;
        const each = makeProduct(
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
    const cafes = [{ name: "cafe", choices: 8 }];
    expect(await bars({ hour: null, categories: cafes })).toBe(0);
    expect(await bars({ hour: null, categories: [{ name: "bar", choices: 8 }] })).toBe(50);
    const weights = { ...defaultFirstStage, category: 0 };
    expect(await bars({ hour: null, categories: cafes, weights })).toBeGreaterThan(20);
  });

  it("returns the world's best without a point, and respects filter and radius", async () => {
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

  it("L2: finds the one product of a category among thousands nearby, and the next page of a small list", async () => {
    const city = Array.from({ length: 5940 }, (_, i) =>
      makeProduct(`city-${i}`, { lat: 48.6 + (i % 77) / 140, lon: 2.1 + Math.floor(i / 77) / 140 }),
    );
    const rare = makeProduct("rare", { lat: 49.05, lon: 2.35 }, { category: "observatory" });
    const dense = pyramid([...city, rare]);
    const here = { ...query, point: { lat: 48.85, lon: 2.35 }, limit: 20 };
    const filter = { categories: ["observatory"], radiusKm: 60 };
    expect(idsOf(await firstStageCandidates(dense, { ...here, filter }))).toEqual(["rare"]);
    // L8: exclusions act inside the search.
    const first = idsOf(await firstStageCandidates(dense, here));
    const second = idsOf(await firstStageCandidates(dense, { ...here, exclude: first }));
    expect([first.length, second.length]).toEqual([20, 20]);
    expect(second.some((id) => first.includes(id))).toBe(false);
  });

  it("L1: widens past the variants of an excluded group", async () => {
    const shirts = Array.from({ length: 300 }, (_, i) =>
      makeProduct(`shirt-${i}`, { lat: 10 + i / 1e5, lon: -35 }, { groupId: "shirt" }),
    );
    const far = makeProduct("far", { lat: 14, lon: -35 });
    const point = { lat: 10, lon: -35 };
    const asked = { ...query, point, limit: 50, excludeGroups: ["shirt"] };
    const found = await firstStageCandidates(pyramid([...shirts, far]), asked);
    expect(idsOf(found)).toEqual(["far"]);
  });

  it("stops after a bounded number of products, and says that it is not complete", async () => {
    // Each category has a price of its own, so that no summary tells that a cell has no cafe for 90 EUR.
    const products = Array.from({ length: maxRowsPerSearch + 20_000 }, (_, i) =>
      makeProduct(
        `p${i}`,
        { lat: 45 + (i % 300) / 100, lon: 5 + Math.floor(i / 300) / 60 },
        i % 2 === 0 ? { category: "cafe", priceMinor: 500 } : { category: "park", priceMinor: 9000 },
      ),
    );
    let rows = 0;
    const built = pyramid(products);
    const counting = {
      ...built,
      tile: async (cell: string) => {
        const tile = await built.tile(cell);
        if (tile?.meta.children.length === 0) rows += tile.count;
        return tile;
      },
    };
    const filter = { categories: ["cafe"], priceMin: 90, currency: "EUR" };
    const found = await firstStageCandidates(counting, {
      ...query,
      point: { lat: 46.5, lon: 7 },
      limit: 20,
      filter,
    });
    expect([found.count, found.meta.searched?.complete]).toEqual([0, false]);
    // One wave of reads may pass the limit.
    expect(rows).toBeLessThan(maxRowsPerSearch + maxConcurrentReads * maxCellProducts);
  });
});
