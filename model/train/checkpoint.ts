import * as z from "zod";
import type { FeatureShape } from "../features/batch.ts";
import { parameterSpecs } from "../network/network.ts";
import type { Parameter, Parameters } from "../network/parameters.ts";
import type { AdamMoments } from "./adam.ts";
import type { LearnerState } from "./learner.ts";

/** Ranking quality on validation lists; NaN if there are none. */
export interface Validation {
  ndcg: number;
  auc: number;
  /** Mean listwise cross entropy. Training selects the best weights by it, since it is smoother than rank metrics. */
  loss: number;
}

/** The state that training needs to resume after an epoch. */
export interface Checkpoint extends LearnerState {
  /** Number of completed epochs. */
  epoch: number;
  best: { parameters: Parameters; validation: Validation; epoch: number };
}

/** A number or NaN. JSON stores NaN as null; a validation without lists gives NaN. */
const numberOrNaN = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const headerSchema = z.object({
  featureHash: z.string(),
  step: z.number().int().min(0),
  epoch: z.number().int().min(0),
  bestEpoch: z.number().int().min(0),
  validation: z.object({ ndcg: numberOrNaN, auc: numberOrNaN, loss: numberOrNaN }),
});

/** Size of the header in bytes: JSON, padded with spaces. */
const headerBytes = 512;

/**
 * Returns a checkpoint as bytes: the header, then for each parameter its weights, their average, the first and second
 * moments, and the best weights. Values are float32 in native byte order.
 */
export function encodeCheckpoint(shape: FeatureShape, checkpoint: Checkpoint): Uint8Array {
  const header: z.input<typeof headerSchema> = {
    featureHash: shape.hash,
    step: checkpoint.step,
    epoch: checkpoint.epoch,
    bestEpoch: checkpoint.best.epoch,
    validation: checkpoint.best.validation,
  };
  const text = new TextEncoder().encode(JSON.stringify(header).padEnd(headerBytes));
  const names = parameterSpecs(shape).map(({ name }) => name);
  const parts: Float32Array[] = names.flatMap((name) => {
    const moments = checkpoint.moments.get(name);
    const parameter = checkpoint.parameters.get(name);
    const average = checkpoint.average.get(name);
    const best = checkpoint.best.parameters.get(name);
    if (!moments || !parameter || !average || !best)
      throw new Error(`the checkpoint has no values for parameter "${name}"`);
    return [parameter.data, average.data, moments.m, moments.v, best.data];
  });
  const floats = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(headerBytes + 4 * floats);
  bytes.set(text);
  const all = new Float32Array(bytes.buffer, headerBytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Parameter-sized arrays in a checkpoint: weights, average, two moments, best weights. */
const arraysPerParameter = 5;

/**
 * Reads a checkpoint from bytes. Returns null if the bytes are damaged or belong to other features or another network
 * size.
 */
export function decodeCheckpoint(shape: FeatureShape, bytes: Uint8Array<ArrayBuffer>): Checkpoint | null {
  const header = headerOf(bytes);
  const specs = parameterSpecs(shape);
  const floats = specs.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const isComplete = bytes.byteLength === headerBytes + 4 * arraysPerParameter * floats;
  if (header?.featureHash !== shape.hash || !isComplete) return null;
  const all = new Float32Array(bytes.slice(headerBytes).buffer);
  let at = 0;
  const take = (size: number): Float32Array => {
    at += size;
    return all.slice(at - size, at);
  };
  const parameters: Parameters = new Map();
  const average: Parameters = new Map();
  const best: Parameters = new Map();
  const moments = new Map<string, AdamMoments>();
  for (const { name, rows, columns, trained } of specs) {
    const size = rows * columns;
    const parameter = (data: Float32Array): Parameter => ({ name, rows, columns, trained, data });
    parameters.set(name, parameter(take(size)));
    average.set(name, parameter(take(size)));
    moments.set(name, { m: take(size), v: take(size) });
    best.set(name, parameter(take(size)));
  }
  return {
    parameters,
    average,
    moments,
    step: header.step,
    epoch: header.epoch,
    best: { parameters: best, validation: header.validation, epoch: header.bestEpoch },
  };
}

function headerOf(bytes: Uint8Array): z.infer<typeof headerSchema> | null {
  try {
    const text = new TextDecoder().decode(bytes.subarray(0, headerBytes));
    return headerSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
