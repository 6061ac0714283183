import * as ort from "onnxruntime-web/wasm";
import type { FeatureShape } from "../features/batch.ts";
import { type Session, sessionOver } from "./session.ts";

ort.env.wasm.numThreads = 1;

/** A session in Node, by the same runtime and one thread as in a Worker. Throws where the runtime refuses the file. */
export async function nodeSession(bytes: Uint8Array, shape: FeatureShape): Promise<Session> {
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  return sessionOver(ort, session, shape);
}
