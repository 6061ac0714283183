import { featureShape } from "../../model/features/compute-features.ts";
import { initialParameters } from "../../model/network/parameters.ts";
import { randomBatch } from "../../model/onnx/random-batch.ts";
import { maxCandidates } from "../../model/pipeline/run-pipeline.ts";
import { Random } from "../../model/train/random.ts";
import { scoreByTape } from "../../model/train/train.ts";
import type { BenchContext } from "../context.ts";
import { type Reference, type Statistics, summarizeTimes } from "../figure.ts";
import { bundledModelBytes, openBundledModel } from "../onnx/bundled-model.ts";
import { createNativeRunner, nativeInstallCommand } from "../onnx/native-runner.ts";
import { startOnnxWorker } from "../onnx/serve-onnx.ts";
import { measureMilliseconds, type RunLimits } from "../timing.ts";

/** Candidates per run. */
const counts = [100, maxCandidates];
const bounds: RunLimits = { warmUp: 50, runs: 500, seconds: 4 };
/** Runs per request to workerd, since its clock is coarse. */
const runsPerRequest = 20;
const requests: RunLimits = { warmUp: 3, runs: 40, seconds: 5 };

/** Measures the ONNX run alone: in workerd, in Node with the same WebAssembly, and in native code on one thread. */
export async function measureLimit(context: BenchContext): Promise<void> {
  const native = await createNativeRunner(bundledModelBytes(), featureShape);
  if (!native)
    context.addNote(
      `limit: the native run was skipped, since onnxruntime-node is not installed. Install it: ${nativeInstallCommand}`,
    );
  const inNode = await openBundledModel();
  const parameters = initialParameters(featureShape, new Random(1));
  const served = await startOnnxWorker(context.options.port);
  try {
    for (const count of counts) {
      const batch = randomBatch(featureShape, count, 1);
      const tape = await measureMilliseconds(() => scoreByTape(featureShape, parameters, batch), {
        warmUp: 5,
        runs: 50,
        seconds: 4,
      });
      const baseline: Reference = { label: "same network on the training tape", value: tape.p50 };
      const nativeTimes = native ? await measureMilliseconds(() => native(batch), bounds) : null;
      const floor: Reference | null = nativeTimes && { label: "native, one thread", value: nativeTimes.p50 };
      const add = (name: string, summary: Statistics, limitReference: Reference | null) =>
        context.figures.push({
          section: "limit",
          name,
          unit: "ms",
          ...summary,
          baseline,
          limit: limitReference,
        });
      const means: number[] = [];
      await measureMilliseconds(async (request) => {
        const ms = await served.run(count, runsPerRequest);
        means[request] = ms;
      }, requests);
      const inWorkerd = summarizeTimes(means);
      add(`ONNX in workerd, ${count} candidates, mean of ${runsPerRequest} runs`, inWorkerd, floor);
      if (count === maxCandidates)
        context.onnxMedian = { label: `ONNX run of ${count} candidates in workerd`, value: inWorkerd.p50 };
      add(
        `ONNX in Node, ${count} candidates`,
        await measureMilliseconds(() => inNode.session.run(batch), bounds),
        floor,
      );
      if (nativeTimes) add(`ONNX native, one thread, ${count} candidates`, nativeTimes, null);
    }
  } finally {
    await served.stop();
    await inNode.session.release();
  }
}
