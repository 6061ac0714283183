import { describe, expect, it } from "vitest";
import { featureShape } from "../features/compute-features.ts";
import { initialParameters } from "../network/parameters.ts";
import { exportOnnx } from "../onnx/export.ts";
import { defaultFirstStage } from "../retrieval/first-stage.ts";
import { simulate } from "../simulate/simulate.ts";
import { Random } from "../train/random.ts";
import { ablations } from "./ablation.ts";
import { tunedBaselines } from "./baselines/tuned-baselines.ts";
import { rankInThreads } from "./rank-in-threads.node.ts";
import type { TestRanks } from "./rank-test-events.ts";
import type { RankerFile } from "./ranker-file.node.ts";

const dataset = simulate({ products: 300, users: 12, events: 400, days: 40 }, 3, 1_760_000_000).dataset;
const { name: ablation } = ablations[0];
const bytesOf = (seed: number): Uint8Array =>
  exportOnnx(featureShape, initialParameters(featureShape, new Random(seed)));
const files: RankerFile[] = [
  { version: "1", bytes: bytesOf(1), firstStage: { ...defaultFirstStage, near: 0.1 } },
  { version: "2", bytes: bytesOf(1), ablation },
];
const more = tunedBaselines(dataset);
const ignore = (): void => undefined;
/** Returns all but the times, which differ between runs. */
const untimed = ({ stageMilliseconds, ...ranks }: TestRanks) => ({
  ...ranks,
  stages: Object.keys(stageMilliseconds).sort(),
});

describe("rankInThreads", { timeout: 120_000 }, () => {
  it("ranks every nth event in any number of threads as in one, bit for bit", async () => {
    for (const sampleEvery of [1, 3]) {
      const one = await rankInThreads(dataset, files, ignore, sampleEvery, undefined, more, 1);
      expect(one.events.length).toBeGreaterThan(5);
      expect(Object.keys(one.events[0].ranks)).toEqual(expect.arrayContaining(more.map(({ name }) => name)));
      for (const threads of [2, 3])
        expect(
          untimed(await rankInThreads(dataset, files, ignore, sampleEvery, undefined, more, threads)),
        ).toEqual(untimed(one));
    }
  });

  it("ranks by the first stage and without the part that a file names", async () => {
    const { events } = await rankInThreads(dataset, files, ignore, 1, undefined, [], 2);
    expect(events.some(({ ranks: { pipeline } }) => pipeline[0] !== pipeline[1])).toBe(true);
  });

  it("rejects with the error of a thread", async () => {
    const unknown = [{ ...files[0], ablation: "unknown" }];
    await expect(rankInThreads(dataset, unknown, ignore, 1, undefined, [], 2)).rejects.toThrow(
      'There is no ablation "unknown"',
    );
  });
});
