import * as ort from "onnxruntime-web/wasm";
import type { FeatureShape } from "../features/batch.ts";
import { createModelSession, type ModelSession } from "./model-session.ts";

ort.env.wasm.numThreads = 1;

/**
 * Loads a model in Node with the same runtime as in a Worker, on one thread. Throws if the runtime rejects the file.
 */
export async function loadModelInNode(bytes: Uint8Array, shape: FeatureShape): Promise<ModelSession> {
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  return createModelSession(ort, session, shape);
}
