import { z } from "zod";
import type { FeatureShape } from "../features/batch.ts";
import { parameterSpecs } from "../network/network.ts";
import type { Parameter, Parameters } from "../network/parameters.ts";
import type { Moments } from "./adam.ts";
import type { LearnerState } from "./learner.ts";

/** Quality on held-back lists. */
export interface Validation {
  ndcg: number;
  auc: number;
  /** Mean listwise cross entropy: smoother than ranks, so the best weights are chosen by it. */
  loss: number;
}

/** All that training needs to go on. */
export interface Checkpoint extends LearnerState {
  /** Epochs that are done. */
  epoch: number;
  best: { parameters: Parameters; validation: Validation; epoch: number };
}

/** NaN, which an empty validation gives, is null in JSON. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const headerSchema = z.object({
  featureHash: z.string(),
  step: z.number().int().min(0),
  epoch: z.number().int().min(0),
  bestEpoch: z.number().int().min(0),
  validation: z.object({ ndcg: figure, auc: figure, loss: figure }),
});

/** Bytes of the header: JSON, padded with spaces. */
const headerBytes = 512;

/**
 * A checkpoint as bytes: the header, then for each parameter in order its weights, their average, first and second moments and best
 * weights, as float32 in the order of the machine.
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
    if (!moments || !parameter || !average || !best) throw new Error(`the checkpoint lacks ${name}`);
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

/**
 * The checkpoint in bytes; null where they are damaged, or were written for other features or a network of another size.
 */
export function decodeCheckpoint(shape: FeatureShape, bytes: Uint8Array<ArrayBuffer>): Checkpoint | null {
  const header = headerOf(bytes);
  const specs = parameterSpecs(shape);
  const floats = specs.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const whole = bytes.byteLength === headerBytes + 20 * floats;
  if (header?.featureHash !== shape.hash || !whole) return null;
  const all = new Float32Array(bytes.slice(headerBytes).buffer);
  let at = 0;
  const take = (size: number): Float32Array => {
    at += size;
    return all.slice(at - size, at);
  };
  const parameters: Parameters = new Map();
  const average: Parameters = new Map();
  const best: Parameters = new Map();
  const moments = new Map<string, Moments>();
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
