import { z } from "zod";
import { type ModelManifest, modelManifest } from "../../shared/contracts/model.ts";
import { ok, type Result, refuse } from "../../shared/contracts/result.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { sha256Hex } from "../../shared/hash/sha256.ts";
import type { FeatureBatch, FeatureShape, Scores } from "../features/batch.ts";
import { type Parameters, parameterCount } from "../network/parameters.ts";
import { Random } from "../train/random.ts";
import { inputSpecs, opset, outputSpecs } from "./export.ts";
import { batchOf, inputsOf } from "./inputs.ts";
import type { Session } from "./session.ts";

/** Largest model that is taken, in bytes. */
export const maxModelBytes = 8 * 1024 * 1024;
/** How far a runtime's outputs may be from the golden ones. */
const goldenTolerance = 1e-4;
const goldenCandidates = 4;

/** A batch of plausible numbers that a seed decides: for golden vectors and tests. */
export function randomBatch(shape: FeatureShape, count: number, seed: number): FeatureBatch {
  const random = new Random(seed);
  const rounded = (): number => Math.round(random.normal() * 1000) / 1000;
  const event = Float32Array.from({ length: shape.history * shape.event.length }, rounded);
  // Whether there is an event: the first half has some.
  const present = shape.event.indexOf("present");
  for (let i = 0; i < shape.history; i++)
    event[i * shape.event.length + present] = i < shape.history / 2 ? 1 : 0;
  return {
    count,
    dense: Float32Array.from({ length: count * shape.dense.length }, rounded),
    pair: Float32Array.from({ length: count * shape.history * shape.pair.length }, rounded),
    event,
    category: Int32Array.from({ length: count }, () => random.below(shape.categories)),
    historyCategory: Int32Array.from({ length: shape.history }, () => random.below(shape.categories)),
    moment: Int32Array.from([random.below(24), 24 + random.below(7)]),
  };
}

/** What is known of a model beside its file. */
export interface ModelFacts {
  version: string;
  parent: string | null;
  seed: number;
  createdAt: string;
  metrics: Record<string, number>;
  firstStage?: FirstStage;
  dataWindow: ModelManifest["dataWindow"];
}

/** The manifest of a file, with golden vectors from a session that runs it. */
export async function manifestOf(
  shape: FeatureShape,
  parameters: Parameters,
  bytes: Uint8Array<ArrayBuffer>,
  session: Session,
  facts: ModelFacts,
): Promise<ModelManifest> {
  const batch = randomBatch(shape, goldenCandidates, 7);
  const scores = await session.run(batch);
  return {
    ...facts,
    sha256: await sha256Hex(bytes),
    featureHash: shape.hash,
    opset,
    bytes: bytes.byteLength,
    parameters: parameterCount(parameters),
    inputs: inputSpecs(shape),
    outputs: outputSpecs,
    golden: {
      candidates: goldenCandidates,
      inputs: Object.fromEntries(
        Object.entries(inputsOf(shape, batch)).map(([name, { data }]) => [name, [...data].map(exact)]),
      ),
      outputs: { engage: [...scores.engage], purchase: [...scores.purchase] },
    },
  };
}

/** The decimals that were rounded to, not their nearest 32-bit float. */
const exact = (value: number): number => Math.round(value * 1000) / 1000;

/** Checks all of a manifest and its file that needs no runtime. */
export async function checkModel(
  manifest: unknown,
  bytes: Uint8Array<ArrayBuffer>,
  shape: FeatureShape,
): Promise<Result<ModelManifest>> {
  const parsed = modelManifest.safeParse(manifest);
  if (!parsed.success)
    return refuse("invalid_input", `The manifest is not as documented: ${z.prettifyError(parsed.error)}`);
  const value = parsed.data;
  if (bytes.byteLength > maxModelBytes)
    return refuse("too_large", `A model has at most ${maxModelBytes} bytes.`);
  if (value.bytes !== bytes.byteLength)
    return refuse(
      "invalid_input",
      `The file has ${bytes.byteLength} bytes, the manifest says ${value.bytes}.`,
    );
  if (value.sha256 !== (await sha256Hex(bytes)))
    return refuse("invalid_input", "The file's sha256 is not the manifest's.");
  if (value.featureHash !== shape.hash)
    return refuse(
      "invalid_input",
      `The model was made for features ${value.featureHash}; these are ${shape.hash}.`,
    );
  if (JSON.stringify(value.inputs) !== JSON.stringify(inputSpecs(shape)))
    return refuse("invalid_input", "The inputs are not those of the feature specification.");
  if (JSON.stringify(value.outputs) !== JSON.stringify(outputSpecs))
    return refuse("invalid_input", "The outputs are not the two heads.");
  if (value.golden.candidates < 1)
    return refuse("invalid_input", "The golden vectors have at least one candidate.");
  return ok(value);
}

/** Whether a session reproduces the golden vectors. */
export async function checkGolden(manifest: ModelManifest, session: Session): Promise<Result<null>> {
  const { golden } = manifest;
  const scores: Scores = await session.run(batchOf(golden.candidates, golden.inputs));
  for (const name of ["engage", "purchase"] as const) {
    const expected = golden.outputs[name] ?? [];
    if (expected.length !== golden.candidates)
      return refuse("invalid_input", `The golden outputs lack "${name}".`);
    for (const [i, value] of expected.entries())
      if (!(Math.abs(scores[name][i] - value) <= goldenTolerance * Math.max(1, Math.abs(value))))
        return refuse("invalid_input", `The model does not reproduce its golden vectors: ${name}[${i}].`);
  }
  return ok(null);
}

/**
 * Whether a session answers lists of the sizes that serving asks, made of the golden candidates over and over: one finite
 * logit of each head for each candidate.
 */
export async function checkAnswers({ golden }: ModelManifest, session: Session): Promise<Result<null>> {
  const batch = batchOf(golden.candidates, golden.inputs);
  for (const count of [1, 500]) {
    const scores = await session.run(repeated(batch, count));
    for (const name of ["engage", "purchase"] as const)
      if (scores[name].length !== count || !scores[name].every(Number.isFinite))
        return refuse("invalid_input", `For ${count} candidates "${name}" is not as many finite numbers.`);
  }
  return ok(null);
}

/** A batch of `count` candidates: those of another, over and over. */
function repeated(batch: FeatureBatch, count: number): FeatureBatch {
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
