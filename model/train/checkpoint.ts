import type { FeatureShape } from "../features/batch.ts";
import { parameterSpecs } from "../network/network.ts";
import type { Parameter, Parameters } from "../network/parameters.ts";
import type { Moments } from "./adam.ts";
import type { Validation } from "./train.ts";

/** All that training needs to go on. */
export interface Checkpoint {
  parameters: Parameters;
  moments: Map<string, Moments>;
  step: number;
  /** Epochs that are done. */
  epoch: number;
  best: { parameters: Parameters; validation: Validation; epoch: number };
}

interface Header {
  featureHash: string;
  step: number;
  epoch: number;
  bestEpoch: number;
  validation: Validation;
}

/** A checkpoint as bytes: a JSON header with its length, then four copies of the parameters' order of float32. */
export function encodeCheckpoint(shape: FeatureShape, checkpoint: Checkpoint): Uint8Array {
  const header: Header = {
    featureHash: shape.hash,
    step: checkpoint.step,
    epoch: checkpoint.epoch,
    bestEpoch: checkpoint.best.epoch,
    validation: checkpoint.best.validation,
  };
  const text = new TextEncoder().encode(JSON.stringify(header).padEnd(512));
  const names = parameterSpecs(shape).map(({ name }) => name);
  const parts: Float32Array[] = names.flatMap((name) => {
    const moments = checkpoint.moments.get(name);
    const parameter = checkpoint.parameters.get(name);
    const best = checkpoint.best.parameters.get(name);
    if (!moments || !parameter || !best) throw new Error(`the checkpoint lacks ${name}`);
    return [parameter.data, moments.m, moments.v, best.data];
  });
  const floats = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(512 + 4 * floats);
  bytes.set(text);
  const all = new Float32Array(bytes.buffer, 512);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The checkpoint in bytes; null where they were written for other features or a network of another size. */
export function decodeCheckpoint(shape: FeatureShape, bytes: Uint8Array<ArrayBuffer>): Checkpoint | null {
  if (bytes.byteLength < 512 || bytes.byteLength % 4 !== 0) return null;
  const header: Header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, 512)));
  const specs = parameterSpecs(shape);
  const floats = specs.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  if (header.featureHash !== shape.hash || bytes.byteLength !== 512 + 16 * floats) return null;
  const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset + 512));
  let at = 0;
  const take = (size: number): Float32Array => {
    at += size;
    return all.slice(at - size, at);
  };
  const parameters: Parameters = new Map();
  const best: Parameters = new Map();
  const moments = new Map<string, Moments>();
  for (const { name, rows, columns, trained } of specs) {
    const size = rows * columns;
    const parameter = (data: Float32Array): Parameter => ({ name, rows, columns, trained, data });
    parameters.set(name, parameter(take(size)));
    moments.set(name, { m: take(size), v: take(size) });
    best.set(name, parameter(take(size)));
  }
  return {
    parameters,
    moments,
    step: header.step,
    epoch: header.epoch,
    best: { parameters: best, validation: header.validation, epoch: header.bestEpoch },
  };
}
