import * as ort from "onnxruntime-web/wasm";
import type { Scores } from "../../model/features/batch.ts";
import { featureShape } from "../../model/features/compute-features.ts";
import { createModelSession, type ModelSession } from "../../model/onnx/model-session.ts";
import { randomBatch } from "../../model/onnx/random-batch.ts";
import { maxCandidates } from "../../model/pipeline/run-pipeline.ts";
import type { BenchContext } from "../context.ts";
import { bundledModelBytes } from "../onnx/bundled-model.ts";
import { convertWeights, weightFormats } from "../onnx/weight-format.ts";
import { measureMilliseconds, type RunLimits } from "../timing.ts";

const levels = ["disabled", "basic", "extended", "all"] as const;
const counts = [50, 100, 200, 500, 1000];
const bounds: RunLimits = { warmUp: 40, runs: 400, seconds: 4 };

type Level = (typeof levels)[number];

async function sessionOf(bytes: Uint8Array, level: Level): Promise<ModelSession> {
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: level,
  });
  return createModelSession(ort, session, featureShape);
}

/** Returns the largest difference between two models' logits. */
const maxLogitDifference = (a: Scores, b: Scores): number =>
  Math.max(
    ...["engage" as const, "purchase" as const].map((head) =>
      a[head].reduce((max, value, i) => Math.max(max, Math.abs(value - b[head][i])), 0),
    ),
  );

/**
 * Compares the chosen settings of the model with the alternatives: graph optimization, weight format, candidates per
 * run.
 */
export async function measureChoices(context: BenchContext): Promise<void> {
  ort.env.wasm.numThreads = 1;
  const chosen = await sessionOf(bundledModelBytes(), "all");
  const reference = randomBatch(featureShape, maxCandidates, 1);
  const scores = await chosen.run(reference);
  const measure = async (name: string, session: ModelSession, count: number): Promise<void> => {
    const batch = randomBatch(featureShape, count, 1);
    const current = await measureMilliseconds(() => chosen.run(batch), bounds);
    const summary = await measureMilliseconds(() => session.run(batch), bounds);
    context.figures.push({
      section: "choices",
      name,
      unit: "ms",
      ...summary,
      baseline: { label: "chosen settings", value: current.p50 },
      limit: null,
    });
  };
  for (const level of levels) {
    const session = await sessionOf(bundledModelBytes(), level);
    await measure(`graph optimization ${level}, ${maxCandidates} candidates`, session, maxCandidates);
    await session.release();
  }
  for (const format of weightFormats) {
    const bytes = convertWeights(format, bundledModelBytes());
    const session = await sessionOf(bytes, "all");
    await measure(`weights as ${format}, ${(bytes.byteLength / 1024).toFixed(0)} kB`, session, maxCandidates);
    context.addNote(
      `choices: weights as ${format} change a logit by ${maxLogitDifference(await session.run(reference), scores).toPrecision(2)} at most`,
    );
    await session.release();
  }
  for (const count of counts) await measure(`${count} candidates`, chosen, count);
  await chosen.release();
}
