import { describe, expect, it } from "vitest";
import type { DatasetEvent } from "../data/dataset.ts";
import type { TrainingList } from "../features/batch.ts";
import { featureShape } from "../features/compute-features.ts";
import { defaultFirstStage } from "../retrieval/first-stage.ts";
import { simulate } from "../simulate/simulate.ts";
import { Random } from "./random.ts";
import { trainingLists } from "./training-lists.ts";

const { dataset } = simulate({ products: 600, users: 15, events: 700, days: 40 }, 4, 1_760_000_000);
const events = [...dataset.train, ...dataset.valid];
const listsOf = (from: readonly DatasetEvent[]): Promise<TrainingList[]> =>
  trainingLists(dataset, from, {
    warmUp: 0.3,
    periods: 3,
    sampleSize: 10_000,
    negatives: 12,
    firstStage: defaultFirstStage,
    random: new Random(1),
    onProgress: () => undefined,
  });

describe("trainingLists", () => {
  const listsPromise = listsOf(events);

  it("puts the chosen product first, marks no other candidate as chosen, and computes finite features", async () => {
    const lists = await listsPromise;
    expect(lists.length).toBeGreaterThan(50);
    for (const { batch, engage, purchase } of lists) {
      expect(batch.count).toBeGreaterThan(1);
      expect(batch.count).toBeLessThanOrEqual(13);
      expect([...engage]).toEqual(Array.from({ length: batch.count }, (_, i) => (i === 0 ? 1 : 0)));
      expect(purchase.slice(1).every((each) => each === 0)).toBe(true);
      expect(batch.dense.length).toBe(batch.count * featureShape.dense.length);
      expect([...batch.dense, ...batch.pair].every(Number.isFinite)).toBe(true);
    }
    expect(lists.some(({ purchase }) => purchase[0] === 1)).toBe(true);
    expect(lists.some(({ purchase }) => purchase[0] === 0)).toBe(true);
  });

  it("computes features from earlier events only: other later events change no feature", async () => {
    const lists = await listsPromise;
    const cut = Math.floor(events.length * 0.75);
    const items = [...dataset.items.keys()];
    const other = events.map((event, i) =>
      i < cut ? event : { ...event, itemId: items[(i * 37) % items.length], lat: 10, lon: 10 },
    );
    const changed = await listsOf(other);
    const firstDifference = lists.findIndex(
      (list, i) => changed[i] === undefined || !equal(list, changed[i]),
    );
    const before = await countBefore(cut);
    expect(before).toBeGreaterThan(30);
    expect(firstDifference).toBeGreaterThanOrEqual(before);
  });

  it("returns the same lists for the same seed", async () => {
    expect(await listsOf(events)).toEqual(await listsPromise);
  });
});

const equal = (a: TrainingList, b: TrainingList): boolean =>
  a.batch.count === b.batch.count &&
  a.batch.dense.every((value, i) => value === b.batch.dense[i]) &&
  a.batch.pair.every((value, i) => value === b.batch.pair[i]);

/** Returns the number of lists from events before `cut`: later events become dismissals, which give no list. */
async function countBefore(cut: number): Promise<number> {
  const cutOff = events.map((event, i) => (i < cut ? event : { ...event, type: "dismiss" as const }));
  return (await listsOf(cutOff)).length;
}
