import * as ort from "onnxruntime-web/wasm";
import type { Scores } from "../../model/features/batch.ts";
import { featureShape } from "../../model/features/compute.ts";
import { randomBatch } from "../../model/onnx/manifest.ts";
import { type Session, sessionOver } from "../../model/onnx/session.ts";
import { maxCandidates } from "../../model/pipeline/recommend.ts";
import type { BenchContext } from "../context.ts";
import { bundledBytes } from "../onnx/bundled-model.ts";
import { type Bounds, millisecondsOf } from "../timing.ts";
import { weightFormats, withWeightsAs } from "../onnx/weight-format.ts";

const levels = ["disabled", "basic", "extended", "all"] as const;
const counts = [50, 100, 200, 500, 1000];
const bounds: Bounds = { warmUp: 40, runs: 400, seconds: 4 };

type Level = (typeof levels)[number];

async function sessionOf(bytes: Uint8Array, level: Level): Promise<Session> {
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: level,
  });
  return sessionOver(ort, session, featureShape);
}

/** Largest difference of two logits. */
const apart = (a: Scores, b: Scores): number =>
  Math.max(
    ...["engage" as const, "purchase" as const].map((head) =>
      a[head].reduce((most, value, i) => Math.max(most, Math.abs(value - b[head][i])), 0),
    ),
  );

/** What was chosen and what it was chosen from: optimisation of the graph, format of the weights, candidates of a run. */
export async function choices(context: BenchContext): Promise<void> {
  ort.env.wasm.numThreads = 1;
  const chosen = await sessionOf(bundledBytes(), "all");
  const reference = randomBatch(featureShape, maxCandidates, 1);
  const scores = await chosen.run(reference);
  const measure = async (name: string, session: Session, count: number): Promise<void> => {
    const batch = randomBatch(featureShape, count, 1);
    const now = await millisecondsOf(() => chosen.run(batch), bounds);
    const summary = await millisecondsOf(() => session.run(batch), bounds);
    context.figures.push({
      section: "choices",
      name,
      unit: "ms",
      ...summary,
      baseline: { what: "as chosen", value: now.p50 },
      limit: null,
    });
  };
  for (const level of levels) {
    const session = await sessionOf(bundledBytes(), level);
    await measure(`graph optimisation ${level}, ${maxCandidates} candidates`, session, maxCandidates);
    await session.release();
  }
  for (const format of weightFormats) {
    const bytes = withWeightsAs(format, bundledBytes());
    const session = await sessionOf(bytes, "all");
    await measure(`weights as ${format}, ${(bytes.byteLength / 1024).toFixed(0)} kB`, session, maxCandidates);
    context.note(
      `choices: weights as ${format} move a logit by ${apart(await session.run(reference), scores).toPrecision(2)} at most`,
    );
    await session.release();
  }
  for (const count of counts) await measure(`${count} candidates`, chosen, count);
  await chosen.release();
}
