import { describe, expect, it } from "vitest";
import { hash53 } from "../columns/hash.ts";
import { featureShape } from "../features/compute.ts";
import { packFeatures } from "../features/packed.ts";
import { runToEnd } from "../gradual.ts";
import { randomBatch } from "../onnx/manifest.ts";
import { Corrections, correctionNumbers, correctionsGradually, listOf, readLine } from "./logged-examples.ts";
import { encodeExample, examplesIn, ShardWriter, shardOf } from "./shard.ts";
import { eachSummary, factsOf, joined, type Summary, setGradually, summarise, windowsOf } from "./summary.ts";

const indices = [0, 1, 2, 3];
const features = btoa(
  String.fromCharCode(...packFeatures(featureShape, randomBatch(featureShape, 4, 1), indices)),
);
const line = {
  kind: "example",
  pseudonym: "a".repeat(64),
  epoch: 0,
  recommendationId: "r1",
  time: 1000,
  modelVersion: "v1",
  featureHash: featureShape.hash,
  variant: "default",
  country: "NO",
  weight: 4,
  candidates: 102,
  rows: indices.map((i) => ({
    productId: `p${i}`,
    category: null,
    position: i < 2 ? i + 1 : 0,
    propensity: 1,
    score: 0,
    outcome: i === 0 ? "view" : null,
  })),
  features,
};

describe("a logged example", () => {
  const said = readLine(featureShape, line);
  if (said.kind !== "example") throw new Error("the line was not understood");
  const { example } = said;

  it("is a list in which only what was shown is judged, and the others stand for all that was not", () => {
    const list = listOf(featureShape, example, new Corrections());
    expect(list && [...list.engage]).toEqual([1, 0, 0, 0]);
    expect(list && [...(list.judged ?? [])]).toEqual([1, 1, 0, 0]);
    expect(list && [...list.standsFor]).toEqual([1, 1, 50, 50]);
    expect(list?.weight).toBe(4);
  });

  it("is corrected by the strongest of what came later, once however often it came", () => {
    const corrections = new Corrections();
    const id = hash53("r1");
    for (const outcome of ["purchase", "click", "purchase"] as const)
      corrections.add({ id, product: hash53("p1"), outcome });
    corrections.add({ id: hash53("r2"), product: hash53("p0"), outcome: "purchase" });
    const list = listOf(featureShape, example, corrections);
    const kept = correctionNumbers([{ id, product: hash53("p1"), outcome: "purchase" }]);
    expect(listOf(featureShape, example, runToEnd(correctionsGradually(kept)))).toEqual(list);
    expect(list && [...list.purchase]).toEqual([0, 1, 0, 0]);
    expect(list && [...list.engage]).toEqual([1, 1, 0, 0]);
  });

  it("survives the way through a shard", () => {
    const one = encodeExample(example);
    expect([...examplesIn(shardOf([one, one]))]).toEqual([example, example]);
    expect([...examplesIn(shardOf([]))]).toEqual([]);
    expect(() => [...examplesIn(shardOf([one, one]).subarray(0, -1))]).toThrow();
  });

  it("lies in a part with others, of so many bytes at most, and is told which", async () => {
    const laid = new Map<number, Uint8Array>();
    const put = async (part: number, shard: Uint8Array) => void laid.set(part, shard);
    const size = encodeExample(example).byteLength;
    const shards = new ShardWriter(5, 2 * size + 1, put);
    const parts: number[] = [];
    for (let id = 0; id < 5; id++) parts.push(await shards.add({ ...example, id: example.id + id }));
    expect(await shards.end()).toBe(8);
    expect(await shards.end()).toBe(8);
    expect(parts).toEqual([5, 5, 6, 6, 7]);
    const ids = [...laid].flatMap(([part, shard]) => [...examplesIn(shard)].map(({ id }) => [part, id]));
    expect(ids).toEqual(parts.map((part, i) => [part, example.id + i]));
  });

  it("that is larger than a part is a part by itself", async () => {
    const laid: number[] = [];
    const shards = new ShardWriter(0, 1, async (part) => void laid.push(part));
    expect([await shards.add(example), await shards.add(example), await shards.end()]).toEqual([0, 1, 2]);
    expect(laid).toEqual([0, 1]);
  });

  it("is summed up for windows and health", () => {
    const many = Array.from({ length: 100 }, (_, i) => ({
      ...example,
      id: i,
      time: i,
      pseudonym: `p${i % 10}`,
    }));
    const numbers = joined([summarise(many.slice(0, 40), 0), summarise(many.slice(40), 1)]);
    const seen: Summary[] = [];
    runToEnd(eachSummary(numbers, (each) => seen.push(each)));
    expect(seen.map(({ id }) => id)).toEqual(many.map(({ id }) => id));
    expect(seen[50]).toMatchObject({ time: 50, shown: 8, chosen: 4, rows: 4, part: 1 });
    expect(runToEnd(setGradually(Float64Array.of(1, 2, 1)))).toEqual(new Set([1, 2]));
    const most = Number.POSITIVE_INFINITY;
    const windows = windowsOf(numbers, { share: 0.1, most }, { share: 0.2, most });
    expect(windows).toEqual({ calibration: 70, evaluation: 80 });
    // Of a large log the newest is learnt from too, but for what is looked at.
    const few = windowsOf(numbers, { share: 0.1, most: 3 }, { share: 0.2, most: 4 });
    expect(few).toEqual({ calibration: 93, evaluation: 96 });
    expect(factsOf(numbers, windows, 3)).toMatchObject({
      examples: 100,
      engaged: 100,
      people: 10,
      damaged: 3,
      largestShare: 0.1,
      rate: { training: 0.5, newest: 0.5 },
    });
  });
});

describe("a line", () => {
  it.each([
    ["other", { kind: "interaction", pseudonym: "a" }],
    ["foreign", { ...line, featureHash: "else" }],
    ["damaged", { ...line, features: features.slice(0, -8) }],
    ["damaged", { ...line, features: "" }],
    ["damaged", { ...line, rows: line.rows.slice(1) }],
    ["damaged", { ...line, weight: -1 }],
    ["damaged", { kind: "something" }],
    ["damaged", null],
    [
      "correction",
      { kind: "correction", recommendationId: "r", productId: "p", outcome: "purchase", time: 1 },
    ],
  ])("is %s", (kind, each) => {
    expect(readLine(featureShape, each).kind).toBe(kind);
  });
});
