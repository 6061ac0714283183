import { describe, expect, it } from "vitest";
import { hash53 } from "../columns/hash.ts";
import { featureShape } from "../features/compute-features.ts";
import { packFeatures } from "../features/pack-features.ts";
import { randomBatch } from "../onnx/random-batch.ts";
import { runWithoutPauses } from "../pausable-work.ts";
import { Random } from "../train/random.ts";
import {
  concatenateArrays,
  type ExampleSummary,
  encodeSummaries,
  idSetPausable,
  logStatistics,
  visitSummariesPausable,
  windowStarts,
} from "./example-summary.ts";
import {
  Corrections,
  decodeCorrectionsPausable,
  encodeCorrections,
  readLine,
  trainingListOf,
} from "./logged-examples.ts";
import { decodeShard, encodeExample, encodeShard, ShardWriter } from "./shard.ts";

const indices = [0, 1, 2, 3];
const features = btoa(
  String.fromCharCode(...packFeatures(featureShape, randomBatch(featureShape, 4, 1), indices)),
);
const line = {
  kind: "example",
  pseudonym: "a".repeat(64),
  generation: 0,
  recommendation: "r1",
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

const parsed = readLine(featureShape, line);
if (parsed.kind !== "example") throw new Error("readLine did not return an example");
const { example } = parsed;

describe("trainingListOf", () => {
  it("judges only shown rows, and takes none that was not shown for one that is not wanted", () => {
    const examination = { examined: Float64Array.from({ length: 15 }, (_, i) => 1 / (i + 1)) };
    const list = trainingListOf(featureShape, example, new Corrections(), {
      unshownWeight: 0.25,
      examination,
    });
    expect(list && [...list.engage]).toEqual([1, 0, 0, 0]);
    expect(list && [...(list.pointwiseWeights ?? [])]).toEqual([1, 1, 0, 0]);
    // Each row stands for 50 candidates that the user did not see: that says little about them.
    expect(list && [...list.candidatesRepresented]).toEqual([1, 1, 0.25, 0.25]);
    expect(list && [...(list.examined ?? [])]).toEqual([1, 0.5, 1, 1]);
    expect(list?.weight).toBe(4);
  });

  it("weighs a product that might have been shown as the others that were not, and keeps it after the shown ones", () => {
    const rows = line.rows.map((row, i) => ({
      ...row,
      rank: i < 3 ? i + 1 : 0,
      listScore: 0.5,
      squares: [0, 1, 0],
    }));
    const withRanks = readLine(featureShape, { ...line, rows });
    if (withRanks.kind !== "example") throw new Error("readLine did not return an example");
    const list = trainingListOf(featureShape, withRanks.example, new Corrections(), { unshownWeight: 0.5 });
    expect(list && [...list.candidatesRepresented]).toEqual([1, 1, 0.5, 0.5]);
    expect(withRanks.example.rows[2]).toMatchObject({ rank: 3, listScore: 0.5, squares: [0, 1, 0] });
    const short = readLine(featureShape, { ...line, rows }, 3);
    expect(short.kind === "example" && short.example.rows.map(({ rank }) => rank)).toEqual([1, 2, 0]);
  });

  it("says the true rate of outcomes of long lists, whatever is cut", () => {
    for (const length of [22, 50, 100]) {
      const rate = 0.03;
      const random = new Random(length);
      const batch = packFeatures(
        featureShape,
        randomBatch(featureShape, length, 1),
        Array.from({ length }, (_, i) => i),
      );
      let shown = 0;
      let engaged = 0;
      let came = 0;
      for (let n = 0; n < 400; n++) {
        const rows = Array.from({ length }, (_, i) => ({
          ...{ productId: `p${i}`, category: null, position: i + 1, propensity: 1, score: 0 },
          outcome: random.next() < rate ? "click" : null,
        }));
        came += rows.filter(({ outcome }) => outcome).length;
        const long = readLine(featureShape, {
          ...line,
          ...{ recommendation: `r${n}`, candidates: length, rows },
          features: btoa(String.fromCharCode(...batch)),
        });
        const list = long.kind === "example" && trainingListOf(featureShape, long.example, new Corrections());
        if (!list) throw new Error("the line is not read");
        expect(list.batch.count).toBeLessThanOrEqual(32);
        list.pointwiseWeights?.forEach((weight, i) => {
          shown += weight;
          engaged += weight * list.engage[i];
        });
        expect(list.candidatesRepresented.reduce((sum, each) => sum + each, 0)).toBeCloseTo(length, 3);
      }
      expect(shown).toBeCloseTo(400 * length, 1);
      expect(engaged).toBeCloseTo(came, 3);
    }
  });

  it("keeps rows without an outcome beside more outcomes than it may have rows", () => {
    const length = 80;
    const rows = Array.from({ length }, (_, i) => ({
      ...{ productId: `p${i}`, category: null, position: i + 1, propensity: 1, score: 0 },
      outcome: i < 60 ? "click" : null,
    }));
    const indices = rows.map((_, i) => i);
    const batch = packFeatures(featureShape, randomBatch(featureShape, length, 1), indices);
    const long = readLine(featureShape, { ...line, rows, features: btoa(String.fromCharCode(...batch)) });
    if (long.kind !== "example") throw new Error("the line is not read");
    const kept = long.example.rows;
    expect(kept.filter(({ outcome }) => outcome === null).map(({ represents }) => represents)).toEqual(
      Array(8).fill(2.5),
    );
    expect(kept.filter(({ outcome }) => outcome !== null).map(({ represents }) => represents)).toEqual(
      Array(24).fill(2.5),
    );
  });

  it("applies the strongest correction of a product, also if corrections repeat", () => {
    const corrections = new Corrections();
    const id = hash53("r1");
    for (const outcome of ["purchase", "click", "purchase"] as const)
      corrections.add({ id, product: hash53("p1"), outcome });
    corrections.add({ id: hash53("r2"), product: hash53("p0"), outcome: "purchase" });
    const list = trainingListOf(featureShape, example, corrections);
    const kept = encodeCorrections([{ id, product: hash53("p1"), outcome: "purchase" }]);
    expect(trainingListOf(featureShape, example, runWithoutPauses(decodeCorrectionsPausable(kept)))).toEqual(
      list,
    );
    expect(list && [...list.purchase]).toEqual([0, 1, 0, 0]);
    expect(list && [...list.engage]).toEqual([1, 1, 0, 0]);
  });
});

describe("encodeShard", () => {
  it("encodes examples that decodeShard returns unchanged", () => {
    const one = encodeExample(example);
    expect([...decodeShard(encodeShard([one, one]))]).toEqual([example, example]);
    expect([...decodeShard(encodeShard([]))]).toEqual([]);
    expect(() => [...decodeShard(encodeShard([one, one]).subarray(0, -1))]).toThrow();
  });
});

describe("ShardWriter", () => {
  it("fills shards up to the byte limit, and returns the part of each example", async () => {
    const written = new Map<number, Uint8Array>();
    const put = async (part: number, shard: Uint8Array) => void written.set(part, shard);
    const size = encodeExample(example).byteLength;
    const shards = new ShardWriter(5, 2 * size + 1, put);
    const parts: number[] = [];
    for (let id = 0; id < 5; id++) parts.push(await shards.add({ ...example, id: example.id + id }));
    expect(await shards.flush()).toBe(8);
    expect(await shards.flush()).toBe(8);
    expect(parts).toEqual([5, 5, 6, 6, 7]);
    const ids = [...written].flatMap(([part, shard]) => [...decodeShard(shard)].map(({ id }) => [part, id]));
    expect(ids).toEqual(parts.map((part, i) => [part, example.id + i]));
  });

  it("writes an example that is larger than the limit into a shard of its own", async () => {
    const written: number[] = [];
    const shards = new ShardWriter(0, 1, async (part) => void written.push(part));
    expect([await shards.add(example), await shards.add(example), await shards.flush()]).toEqual([0, 1, 2]);
    expect(written).toEqual([0, 1]);
  });
});

describe("encodeSummaries", () => {
  it("encodes what windowStarts and logStatistics read", () => {
    const many = Array.from({ length: 100 }, (_, i) => ({
      ...example,
      id: i,
      time: i,
      pseudonym: `p${i % 10}`,
    }));
    const numbers = concatenateArrays([
      encodeSummaries(many.slice(0, 40), 0),
      encodeSummaries(many.slice(40), 1),
    ]);
    const seen: ExampleSummary[] = [];
    runWithoutPauses(visitSummariesPausable(numbers, (each) => seen.push(each)));
    expect(seen.map(({ id }) => id)).toEqual(many.map(({ id }) => id));
    expect(seen[50]).toMatchObject({ time: 50, shown: 8, chosen: 4, rows: 4, part: 1 });
    expect(runWithoutPauses(idSetPausable(Float64Array.of(1, 2, 1)))).toEqual(new Set([1, 2]));
    const most = Number.POSITIVE_INFINITY;
    const windows = windowStarts(numbers, { share: 0.1, max: most }, { share: 0.2, max: most });
    expect(windows).toEqual({ calibration: 70, evaluation: 80 });
    // In a large log the windows hold at most `max` examples.
    const few = windowStarts(numbers, { share: 0.1, max: 3 }, { share: 0.2, max: 4 });
    expect(few).toEqual({ calibration: 93, evaluation: 96 });
    expect(logStatistics(numbers, windows, 3)).toMatchObject({
      examples: 100,
      engaged: 100,
      people: 10,
      damaged: 3,
      largestShare: 0.1,
      rate: { training: 0.5, newest: 0.5 },
    });
  });
});

describe("readLine", () => {
  it.each([
    ["other", { kind: "interaction", pseudonym: "a" }],
    ["incompatible", { ...line, featureHash: "else" }],
    ["damaged", { ...line, features: features.slice(0, -8) }],
    ["damaged", { ...line, features: "" }],
    ["damaged", { ...line, rows: line.rows.slice(1) }],
    ["damaged", { ...line, weight: -1 }],
    ["damaged", { kind: "something" }],
    ["damaged", null],
    ["correction", { kind: "correction", recommendation: "r", productId: "p", outcome: "purchase", time: 1 }],
  ])("returns kind %s", (kind, each) => {
    expect(readLine(featureShape, each).kind).toBe(kind);
  });
});
