import { describe, expect, it } from "vitest";
import type { Dataset, DatasetEvent, DatasetItem } from "../data/dataset.ts";
import { rankOf } from "./baselines/rank-of.ts";
import { type CountingParameters, tuneCounting, tunedCounting } from "./tuned-counting.ts";

const ids = [..."abcdefgh"];
const oslo = { lat: 59.91, lon: 10.75 };
const items = new Map(
  ids.map((id, i): [string, DatasetItem] => [
    id,
    {
      ...{ id, title: id, category: "", price: null, currency: null, discount: 0, rating: null },
      ...{ lat: oslo.lat + i / 100, lon: oslo.lon, attributes: {} },
    },
  ]),
);
const day = 86_400;
const start = Date.UTC(2025, 0, 6) / 1000;

/** Returns a dataset in which each user chooses by `choose(n)`, an event at `timeOf(n)`; the newest tenth is for the test. */
function datasetOf(choose: (n: number) => string, timeOf = (n: number) => start + n * day): Dataset {
  const events = ["u", "v", "w"].flatMap((userId) =>
    Array.from({ length: 120 }, (_, n): DatasetEvent => {
      return { userId, itemId: choose(n), type: "purchase", time: timeOf(n), lat: null, lon: null };
    }),
  );
  const part = (from: number, to: number): DatasetEvent[] =>
    events.filter(({ time }) => time >= timeOf(from) && time < timeOf(to)).sort((a, b) => a.time - b.time);
  return {
    ...{ name: "d", items, problems: [], rejectedRows: 0 },
    ...{ train: part(0, 80), valid: part(80, 105), test: part(105, 120) },
  };
}

const plain: CountingParameters = {
  halfLife: 3000,
  ownNext: 0,
  everyoneNext: 0,
  afterTwo: 0,
  hour: 0,
  near: 0,
};

/** Returns the share of the test events whose product is ranked first, by tuned or given parameters. */
function firstShare(dataset: Dataset, parameters?: CountingParameters): number {
  const past = [...dataset.train, ...dataset.valid];
  const method = tunedCounting(dataset, past, parameters);
  for (const event of past) method.observe(event);
  let first = 0;
  for (const event of dataset.test) {
    if (rankOf(method.score(event), ids.indexOf(event.itemId)) <= 1) first++;
    method.observe(event);
  }
  return first / dataset.test.length;
}

describe("tunedCounting", () => {
  it("finds transitions, the hour, and drift of interest, each where it decides", () => {
    const cycle = datasetOf((n) => ids[n % 4]);
    const atNoon = (n: number): boolean => (n * 7) % 3 === 0;
    const byHour = datasetOf(
      (n) => (atNoon(n) ? "a" : ids[1 + (n % 2)]),
      (n) => start + n * day + (atNoon(n) ? 12 : 20) * 3600,
    );
    const drift = datasetOf((n) => ids[Math.floor(n / 16)]);
    for (const dataset of [cycle, byHour, drift])
      expect(firstShare(dataset)).toBeGreaterThan(firstShare(dataset, plain) + 0.2);
    expect(firstShare(cycle)).toBe(1);
  });

  it("chooses the same parameters whatever the test part holds", () => {
    const dataset = datasetOf((n) => ids[n % 4]);
    const other = { ...dataset, test: dataset.test.map((event) => ({ ...event, itemId: "h" })) };
    expect(tuneCounting(other)).toEqual(tuneCounting(dataset));
  });

  it("ranks popular products near the last choice for products that the user does not know", () => {
    const dataset = datasetOf((n) => ids[n % 2]);
    const method = tunedCounting(dataset, dataset.train, { ...plain, near: 1 });
    method.observe({ ...dataset.train[0], userId: "new", itemId: "d" });
    const scores = method.score({ ...dataset.test[0], userId: "new" });
    expect(scores[ids.indexOf("c")]).toBeGreaterThan(scores[ids.indexOf("g")]);
    expect(Math.max(...scores)).toBe(scores[ids.indexOf("d")]);
  });
});
