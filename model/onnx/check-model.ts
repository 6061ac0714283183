import * as z from "zod";
import { type ModelManifest, modelManifest } from "../../shared/contracts/model.ts";
import { ok, type Result, refuse } from "../../shared/contracts/result.ts";
import { sha256Hex } from "../../shared/hash/sha256.ts";
import type { FeatureBatch, FeatureShape, Scores } from "../features/batch.ts";
import { inputSpecs, outputSpecs } from "./export.ts";
import { batchFromInputs } from "./inputs.ts";
import { maxCandidatesPerRun, modelLimits } from "./inspect/limits.ts";
import type { ModelSession } from "./model-session.ts";

/** Largest accepted difference from the golden outputs, relative to outputs above 1. */
const goldenTolerance = 1e-4;

/** Checks a manifest and its file without a runtime, and returns the parsed manifest. */
export async function checkModel(
  manifest: unknown,
  bytes: Uint8Array<ArrayBuffer>,
  shape: FeatureShape,
): Promise<Result<ModelManifest>> {
  const parsed = modelManifest.safeParse(manifest);
  if (!parsed.success)
    return refuse("invalid_input", `The manifest is not as documented: ${z.prettifyError(parsed.error)}`);
  const parsedManifest = parsed.data;
  if (bytes.byteLength > modelLimits.bytes)
    return refuse(
      "too_large",
      `The file has ${bytes.byteLength} bytes; a model has at most ${modelLimits.bytes}.`,
    );
  if (parsedManifest.bytes !== bytes.byteLength)
    return refuse(
      "invalid_input",
      `The file has ${bytes.byteLength} bytes, but the manifest states ${parsedManifest.bytes}.`,
    );
  if (parsedManifest.sha256 !== (await sha256Hex(bytes)))
    return refuse("invalid_input", "The sha256 of the file differs from the manifest's.");
  if (parsedManifest.featureHash !== shape.hash)
    return refuse(
      "invalid_input",
      `The model was trained for features ${parsedManifest.featureHash}, but the service computes ${shape.hash}. Train the model with the current features.`,
    );
  if (JSON.stringify(parsedManifest.inputs) !== JSON.stringify(inputSpecs(shape)))
    return refuse("invalid_input", "The inputs in the manifest differ from the feature specification.");
  if (JSON.stringify(parsedManifest.outputs) !== JSON.stringify(outputSpecs))
    return refuse(
      "invalid_input",
      "The outputs in the manifest must be the two heads `engage` and `purchase`.",
    );
  const { candidates } = parsedManifest.golden;
  if (candidates < 1 || candidates > maxCandidatesPerRun)
    return refuse(
      "invalid_input",
      `The golden vectors must have at least one candidate and at most ${maxCandidatesPerRun}; they have ${candidates}.`,
    );
  return ok(parsedManifest);
}

/** Checks that a session reproduces the golden vectors of a manifest. */
export async function checkGoldenVectors(
  manifest: ModelManifest,
  session: ModelSession,
): Promise<Result<null>> {
  const { golden } = manifest;
  const scores: Scores = await session.run(batchFromInputs(golden.candidates, golden.inputs));
  for (const name of ["engage", "purchase"] as const) {
    const expected = golden.outputs[name] ?? [];
    if (expected.length !== golden.candidates)
      return refuse(
        "invalid_input",
        `The golden outputs must have one "${name}" for each of the ${golden.candidates} candidates.`,
      );
    for (const [i, value] of expected.entries())
      if (!(Math.abs(scores[name][i] - value) <= goldenTolerance * Math.max(1, Math.abs(value))))
        return refuse("invalid_input", `The model does not reproduce its golden vectors: ${name}[${i}].`);
  }
  return ok(null);
}

/** List sizes that serving may request: the smallest and the largest. */
const listSizes = [1, maxCandidatesPerRun];

/**
 * Checks that a session returns one finite logit of each head per candidate, for lists of {@link listSizes} candidates.
 * The lists repeat the golden candidates.
 */
export async function checkListSizes(
  { golden }: ModelManifest,
  session: ModelSession,
): Promise<Result<null>> {
  const batch = batchFromInputs(golden.candidates, golden.inputs);
  for (const count of listSizes) {
    const scores = await session.run(repeatCandidates(batch, count));
    for (const name of ["engage", "purchase"] as const)
      if (scores[name].length !== count || !scores[name].every(Number.isFinite))
        return refuse("invalid_input", `For ${count} candidates, "${name}" must be ${count} finite numbers.`);
  }
  return ok(null);
}

/** Returns a batch of `count` candidates that repeats the candidates of another batch. */
function repeatCandidates(batch: FeatureBatch, count: number): FeatureBatch {
  const tile = <A extends Float32Array | Int32Array>(values: A, tiled: A): A => {
    for (let at = 0; at < tiled.length; at += values.length)
      tiled.set(values.subarray(0, Math.min(values.length, tiled.length - at)), at);
    return tiled;
  };
  const widthOf = (values: Float32Array): number => values.length / batch.count;
  return {
    ...batch,
    count,
    dense: tile(batch.dense, new Float32Array(count * widthOf(batch.dense))),
    pair: tile(batch.pair, new Float32Array(count * widthOf(batch.pair))),
    category: tile(batch.category, new Int32Array(count)),
  };
}
