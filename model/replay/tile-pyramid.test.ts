import { describe, expect, it } from "vitest";
import type { EventType } from "../../shared/contracts/event.ts";
import { worldCell } from "../../shared/geo/cells.ts";
import { type Columns, nextProductsOf } from "../columns/columns.ts";
import { columnWidth, countOffset } from "../columns/layout.ts";
import type { DatasetEvent, DatasetItem } from "../data/dataset.ts";
import { popularityFeatures } from "../features/families/popularity.ts";
import { contextOf, featureValues } from "../features/testing.ts";
import { emptyProfile } from "../profile/profile.ts";
import { defaultFirstStage } from "../retrieval/first-stage.ts";
import { firstStageCandidates } from "../retrieval/first-stage-candidates.ts";
import { idsOf } from "../retrieval/testing.ts";
import { popularityScore } from "../tiles/engagement.ts";
import { type CountingRules, servingCounts, tilePyramidAfter } from "./tile-pyramid.ts";

const now = 1_760_000_000;
const oslo = { lat: 59.91, lon: 10.75 };
const item = (id: string): DatasetItem => ({
  id,
  title: id,
  category: "cafe",
  price: null,
  currency: null,
  discount: 0,
  rating: null,
  ...oslo,
  attributes: {},
});
const items = new Map(["a", "b", "untried"].map((id) => [id, item(id)]));

/** Returns `count` events of a product, each `gapHours` before the one before, by one user or by as many users. */
const events = (
  itemId: string,
  type: EventType,
  count: number,
  { gapHours = 0, users = 1 } = {},
): DatasetEvent[] =>
  Array.from({ length: count }, (_, i) => ({
    userId: `${type}-${i % users}`,
    itemId,
    type,
    time: now - 60 - i * gapHours * 3600,
    lat: null,
    lon: null,
  }));

const pyramidAfter = (...parts: DatasetEvent[][]) =>
  tilePyramidAfter(
    { items },
    parts.flat().sort((a, b) => a.time - b.time),
    now,
  );

/** Returns all products in the order of the first stage, which is that of `trending` and of new users. */
const ordered = async (...parts: DatasetEvent[][]): Promise<Columns> =>
  firstStageCandidates(pyramidAfter(...parts), {
    point: oslo,
    usual: [],
    categories: [],
    hour: null,
    limit: 10,
    filter: {},
    now,
    weights: defaultFirstStage,
  });
const rowOf = (block: Columns, id: string): number => idsOf(block).indexOf(id);
const scoreOf = (block: Columns, id: string): number => popularityScore(block, rowOf(block, id));
const countOf = (block: Columns, id: string, name: keyof typeof countOffset): number =>
  block.counts[rowOf(block, id) * columnWidth.counts + countOffset[name]];

describe("tilePyramidAfter", () => {
  it("L9: counts a user once by product, type and hour", async () => {
    const block = await ordered(events("a", "view", 200), events("a", "view", 5, { gapHours: 1 }));
    expect(countOf(block, "a", "view")).toBe(5);
    expect(countOf(block, "a", "people")).toBe(1);
    const bought = await ordered(events("a", "purchase", 6, { users: 3, gapHours: 1 }));
    expect(countOf(bought, "a", "purchase")).toBe(6);
    expect(countOf(bought, "a", "buyers")).toBe(3);
  });

  it("L9: ranks a product with 12 buyers above one that a user viewed 200 times, in one hour or in 200", async () => {
    for (const gapHours of [0, 1]) {
      const block = await ordered(
        events("a", "view", 200, { gapHours }),
        events("b", "purchase", 12, { users: 12 }),
      );
      expect(idsOf(block)[0]).toBe("b");
      expect(scoreOf(block, "b")).toBeGreaterThan(scoreOf(block, "a"));
    }
  });

  it("L9: counts a transition of a user once in an hour", async () => {
    const back: DatasetEvent[] = Array.from({ length: 40 }, (_, i) => ({
      ...events(i % 2 === 0 ? "a" : "b", "view", 1)[0],
      time: now - 60 + i,
    }));
    const world = (await pyramidAfter(back).tile(worldCell)) as Columns;
    expect(world.count).toBe(3);
    const leaf = world.meta.children[0].cell;
    let cell = leaf;
    for (let tile = await pyramidAfter(back).tile(cell); tile; tile = await pyramidAfter(back).tile(cell)) {
      if (tile.meta.children.length > 0) {
        cell = tile.meta.children[0].cell;
        continue;
      }
      const next = nextProductsOf(tile, rowOf(tile, "a"));
      // Once directly after it, and once as the third choice after it.
      expect(next).toEqual([expect.objectContaining({ productId: "b", weight: 1.25 })]);
      return;
    }
  });

  it("L6: ranks a product that 50 users dismissed below one with five clicks, and below an untried one", async () => {
    const block = await ordered(
      events("a", "dismiss", 50, { users: 50 }),
      events("b", "click", 5, { users: 5 }),
    );
    expect(idsOf(block)).toEqual(["b", "untried", "a"]);
    expect(scoreOf(block, "a")).toBe(0);
    expect(countOf(block, "a", "people")).toBe(0);
    const features = (id: string) =>
      featureValues(
        popularityFeatures,
        contextOf(emptyProfile(), block, { time: now }),
        block,
        rowOf(block, id),
      );
    expect(features("a")).toMatchObject({ people: 0, hot_1d: 0, quiet_days: 0, never_chosen: 0 });
    expect(features("untried").never_chosen).toBe(1);
    expect(features("a").dismiss_rate).toBeGreaterThan(features("untried").dismiss_rate);
  });

  it("S4: takes nothing from the interest of others, whoever dismisses and how often", async () => {
    const buyers = events("a", "purchase", 20, { users: 20, gapHours: 1 });
    const before = await ordered(buyers);
    for (const users of [1, 250]) {
      const after = await ordered(buyers, events("a", "dismiss", 250, { gapHours: 1, users }));
      expect(scoreOf(after, "a")).toBe(scoreOf(before, "a"));
      expect(idsOf(after)).toEqual(idsOf(before));
    }
  });

  it("S3, S5: bounds what one user adds, and shows a transition only of enough users", async () => {
    const countedOf = async (users: number, rules?: CountingRules) => {
      const steps = Array.from({ length: 40 * users }, (_, i) => ({
        ...events(i % 2 === 0 ? "a" : "b", "view", 1)[0],
        userId: `u${i % users}`,
        itemId: Math.floor(i / users) % 2 === 0 ? "a" : "b",
        time: now - (40 - Math.floor(i / users)) * 3600,
      }));
      const pyramid = tilePyramidAfter({ items }, steps, now, rules);
      let tile = (await pyramid.tile(worldCell)) as Columns;
      while (tile.meta.children.length > 0)
        tile = (await pyramid.tile(tile.meta.children[0].cell)) as Columns;
      const row = rowOf(tile, "a");
      return { views: countOf(tile, "a", "view"), next: nextProductsOf(tile, row).length };
    };
    expect(await countedOf(1)).toEqual({ views: 20, next: 1 });
    expect(await countedOf(1, servingCounts)).toEqual({ views: 4, next: 0 });
    expect(await countedOf(4, servingCounts)).toEqual({ views: 16, next: 0 });
    expect(await countedOf(5, servingCounts)).toEqual({ views: 20, next: 1 });
  });
});
