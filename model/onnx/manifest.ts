import type { ModelManifest } from "../../shared/contracts/model.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { sha256Hex } from "../../shared/hash/sha256.ts";
import type { FeatureShape } from "../features/batch.ts";
import { type Parameters, parameterCount } from "../network/parameters.ts";
import { inputSpecs, opset, outputSpecs } from "./export.ts";
import { onnxInputs } from "./inputs.ts";
import type { ModelSession } from "./model-session.ts";
import { randomBatch } from "./random-batch.ts";

/** Candidates and seed of the golden vectors. */
const goldenCandidates = 4;
const goldenSeed = 7;

/** Properties of a model that its file does not contain. */
export interface ModelMetadata {
  version: string;
  parent: string | null;
  seed: number;
  createdAt: string;
  metrics: Record<string, number>;
  firstStage?: FirstStage;
  dataWindow: ModelManifest["dataWindow"];
}

/** Returns the manifest of a file, with golden vectors that a session computes from the file. */
export async function buildManifest(
  shape: FeatureShape,
  parameters: Parameters,
  bytes: Uint8Array<ArrayBuffer>,
  session: ModelSession,
  metadata: ModelMetadata,
): Promise<ModelManifest> {
  const batch = randomBatch(shape, goldenCandidates, goldenSeed);
  const scores = await session.run(batch);
  return {
    ...metadata,
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
        Object.entries(onnxInputs(shape, batch)).map(([name, { data }]) => [name, [...data].map(roundInput)]),
      ),
      outputs: { engage: [...scores.engage], purchase: [...scores.purchase] },
    },
  };
}

/** Returns the decimal number that {@link randomBatch} rounded to, instead of the nearest 32-bit float. */
const roundInput = (value: number): number => Math.round(value * 1000) / 1000;
