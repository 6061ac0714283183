import { featureShape } from "../../model/features/compute.ts";
import { initialParameters } from "../../model/network/parameters.ts";
import { randomBatch } from "../../model/onnx/manifest.ts";
import { maxCandidates } from "../../model/pipeline/recommend.ts";
import { Random } from "../../model/train/random.ts";
import { scoreByTape } from "../../model/train/train.ts";
import type { BenchContext } from "../context.ts";
import { type Summary, summaryOfTimes, type Yardstick } from "../figure.ts";
import { bundledBytes, bundledInNode } from "../onnx/bundled-model.ts";
import { howToGetNative, nativeRunner } from "../onnx/native-runner.ts";
import { serveOnnx } from "../onnx/serve-onnx.ts";
import { type Bounds, millisecondsOf } from "../timing.ts";

/** Candidates of one run. */
const counts = [100, maxCandidates];
const bounds: Bounds = { warmUp: 50, runs: 500, seconds: 4 };
/** Runs in one request to workerd, and requests. */
const runsPerRequest = 20;
const requests: Bounds = { warmUp: 3, runs: 40, seconds: 5 };

/** Milliseconds of the bare ONNX run: in workerd, in Node by the same WebAssembly, and by native code on one thread. */
export async function limit(context: BenchContext): Promise<void> {
  const native = await nativeRunner(bundledBytes(), featureShape);
  if (!native)
    context.note(`limit: onnxruntime-node is not installed, so there is no native run; ${howToGetNative}`);
  const inNode = await bundledInNode();
  const parameters = initialParameters(featureShape, new Random(1));
  const served = await serveOnnx(context.options.port);
  try {
    for (const count of counts) {
      const batch = randomBatch(featureShape, count, 1);
      const tape = await millisecondsOf(() => scoreByTape(featureShape, parameters, batch), {
        warmUp: 5,
        runs: 50,
        seconds: 4,
      });
      const baseline: Yardstick = { what: "by JavaScript", value: tape.p50 };
      const bare = native ? await millisecondsOf(() => native(batch), bounds) : null;
      const floor: Yardstick | null = bare && { what: "native, one thread", value: bare.p50 };
      const add = (name: string, summary: Summary, most: Yardstick | null) =>
        context.figures.push({ section: "limit", name, unit: "ms", ...summary, baseline, limit: most });
      const means: number[] = [];
      await millisecondsOf(async (request) => {
        const ms = await served.run(count, runsPerRequest);
        means[request] = ms;
      }, requests);
      const inWorkerd = summaryOfTimes(means);
      add(`ONNX in workerd, ${count} candidates, means of ${runsPerRequest}`, inWorkerd, floor);
      if (count === maxCandidates)
        context.onnx = { what: `bare ONNX, ${count}, in workerd`, value: inWorkerd.p50 };
      add(
        `ONNX in Node, ${count} candidates`,
        await millisecondsOf(() => inNode.session.run(batch), bounds),
        floor,
      );
      if (bare) add(`ONNX native, one thread, ${count} candidates`, bare, null);
    }
  } finally {
    await served.stop();
    await inNode.session.release();
  }
}
