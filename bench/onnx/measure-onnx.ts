import { featureShape } from "../../model/features/compute-features.ts";
import { randomBatch } from "../../model/onnx/random-batch.ts";
import type { Reference } from "../figure.ts";
import { measureMilliseconds } from "../timing.ts";
import { openBundledModel } from "./bundled-model.ts";

/** Returns the median milliseconds of an ONNX run on a number of candidates in Node, measured now. */
export async function measureOnnx(candidates: number): Promise<Reference> {
  const { session } = await openBundledModel();
  const batch = randomBatch(featureShape, candidates, 1);
  const { p50 } = await measureMilliseconds(() => session.run(batch), { warmUp: 50, runs: 300, seconds: 4 });
  await session.release();
  return { label: `ONNX run of ${candidates} candidates in Node`, value: p50 };
}
