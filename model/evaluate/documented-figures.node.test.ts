import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readDataset } from "../data/read-dataset.node.ts";
import { countingMethods } from "./baselines/counting-methods.ts";
import { rankOf } from "./baselines/rank-of.ts";
import { rankingQuality } from "./metrics.ts";

const folder = join(import.meta.dirname, "../../../shared/data/foursquare-nyc");
const present = existsSync(folder);
if (!present)
  console.log(
    "The Foursquare dataset is missing, so the baselines are not checked against its documented figures.",
  );

/** Figures of the counting methods in the dataset's README: Acc@1, Acc@5, Acc@10, NDCG@10. */
const documentedFigures: Record<string, [number, number, number, number]> = {
  popularity: [0.004, 0.018, 0.028, 0.014],
  frequency: [0.133, 0.369, 0.489, 0.293],
  frequencyMarkov: [0.187, 0.42, 0.523, 0.342],
};
const tolerance = 0.003;

describe.skipIf(!present)("baselines on Foursquare New York", () => {
  it("reach the documented figures", { timeout: 120_000 }, () => {
    const dataset = readDataset(folder);
    expect(dataset.rejectedRows).toBe(0);
    expect([dataset.train.length, dataset.valid.length, dataset.test.length, dataset.items.size]).toEqual([
      46_786, 6704, 13_472, 13_848,
    ]);
    const byTime = <T extends { time: number }>(events: T[]): T[] =>
      [...events].sort((a, b) => a.time - b.time);
    const past = byTime([...dataset.train, ...dataset.valid]);
    const methods = countingMethods(dataset, past);
    const observe = (event: (typeof past)[number]): void => {
      for (const method of methods) method.observe(event);
    };
    for (const event of past) observe(event);
    const index = new Map([...dataset.items.keys()].map((id, i) => [id, i]));
    const ranks: Record<string, number[][]> = Object.fromEntries(
      Object.keys(documentedFigures).map((name) => [name, []]),
    );
    const userIds: string[] = [];
    for (const event of byTime(dataset.test)) {
      for (const method of methods)
        ranks[method.name]?.push([rankOf(method.score(event), index.get(event.itemId) ?? -1)]);
      userIds.push(event.userId);
      observe(event);
    }
    for (const [name, documented] of Object.entries(documentedFigures)) {
      const { acc1, acc5, acc10, ndcg10 } = rankingQuality(ranks[name], userIds);
      [acc1, acc5, acc10, ndcg10].forEach((found, i) => {
        expect(Math.abs(found - documented[i]), `${name}, figure ${i + 1}: ${found}`).toBeLessThan(tolerance);
      });
    }
  });
});
