import { describe, expect, it } from "vitest";
import type { EventType } from "../../shared/contracts/event.ts";
import type { Columns } from "../columns/columns.ts";
import { columnWidth, countOffset } from "../columns/layout.ts";
import type { DatasetEvent, DatasetItem } from "../data/dataset.ts";
import { tilePyramidAfter } from "../replay/tile-pyramid.ts";
import { popularityScore } from "../tiles/engagement.ts";
import { defaultFirstStage } from "./first-stage.ts";
import { firstStageCandidates } from "./first-stage-candidates.ts";
import { idsOf } from "./testing.ts";

const now = 1_760_000_000;
const oslo = { lat: 59.91, lon: 10.75 };
const ids = ["few", "many", "nobody", "rejected"];
const items = new Map(
  ids.map((id): [string, DatasetItem] => [
    id,
    {
      ...{ id, title: id, category: "cafe", price: null, currency: null, discount: 0, rating: null },
      ...oslo,
      attributes: {},
    },
  ]),
);
const events = (itemId: string, type: EventType, users: number): DatasetEvent[] =>
  Array.from({ length: users }, (_, i) => ({
    ...{ userId: `u${i}`, itemId, type, lat: null, lon: null },
    time: now - 600 + i,
  }));
const pyramid = tilePyramidAfter(
  { items },
  [
    ...events("few", "purchase", 4),
    ...events("many", "purchase", 5),
    ...events("rejected", "dismiss", 9),
  ].sort((a, b) => a.time - b.time),
  now,
);
const query = {
  ...{ point: oslo, usual: [], categories: [], hour: null, limit: 10, filter: {}, now },
  weights: defaultFirstStage,
};
const countOf = (block: Columns, id: string, name: keyof typeof countOffset): number =>
  block.counts[idsOf(block).indexOf(id) * columnWidth.counts + countOffset[name]];
const scoreOf = (block: Columns, id: string): number => popularityScore(block, idsOf(block).indexOf(id));

describe("hideSmallCounts", () => {
  it("S3, S5: shows a product that too few users chose as one that nobody chose, in lists for everybody", async () => {
    const block = await firstStageCandidates(pyramid, { ...query, hidesSmallCounts: true }, 5);
    expect(idsOf(block)[0]).toBe("many");
    expect(idsOf(block).at(-1)).toBe("rejected");
    const rowOf = (id: string) => idsOf(block).indexOf(id);
    for (const name of ["counts", "hot", "hours", "weekdays"] as const) {
      const valuesOf = (id: string) =>
        [...block[name]].slice(rowOf(id) * columnWidth[name], (rowOf(id) + 1) * columnWidth[name]);
      expect(valuesOf("few")).toEqual(valuesOf("nobody"));
    }
    expect(block.lastTime[rowOf("few")]).toBe(0);
    expect(scoreOf(block, "few")).toBe(0);
    expect(scoreOf(block, "many")).toBeGreaterThan(0);
    expect(countOf(block, "rejected", "dismiss")).toBe(9);
  });

  it("changes nothing in a user's own candidates, nor in the tiles", async () => {
    for (const each of [
      await firstStageCandidates(pyramid, query, 5),
      await firstStageCandidates(pyramid, { ...query, hidesSmallCounts: true }, 1),
    ]) {
      expect(countOf(each, "few", "purchase")).toBe(4);
      expect(scoreOf(each, "few")).toBeGreaterThan(0);
    }
  });
});
