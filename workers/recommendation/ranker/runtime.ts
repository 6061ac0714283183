import compiled from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import * as ort from "onnxruntime-web/wasm";
import type { FeatureShape } from "../../../model/features/batch.ts";
import { type Session, sessionOver } from "../../../model/onnx/session.ts";

ort.env.wasm.numThreads = 1;
// With bytes at hand the runtime does not look for a file; what they hold is never read (see below).
ort.env.wasm.wasmBinary = new Uint8Array(1);

let creation: Promise<unknown> = Promise.resolve();

/**
 * Opens a session in workerd. One at a time: while it is made, `WebAssembly.instantiate` is replaced. Throws where the
 * runtime refuses the file.
 */
export function openSession(bytes: Uint8Array, shape: FeatureShape): Promise<Session> {
  const next = creation.then(() => withCompiledModule(() => create(bytes, shape)));
  creation = next.catch(() => undefined);
  return next;
}

async function create(bytes: Uint8Array, shape: FeatureShape): Promise<Session> {
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  return sessionOver(ort, session, shape);
}

/** The runtime insists on compiling bytes, which Workers forbid: it is handed the compiled module instead. */
async function withCompiledModule<T>(use: () => Promise<T>): Promise<T> {
  const { instantiate } = WebAssembly;
  const fromModule = async (_bytes: unknown, imports?: WebAssembly.Imports) => ({
    module: compiled,
    instance: await instantiate(compiled, imports),
  });
  Reflect.set(WebAssembly, "instantiate", fromModule);
  try {
    return await use();
  } finally {
    Reflect.set(WebAssembly, "instantiate", instantiate);
  }
}
