import compiled from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import * as ort from "onnxruntime-web/wasm";
import type { FeatureShape } from "../../../model/features/batch.ts";
import { createModelSession, type ModelSession } from "../../../model/onnx/model-session.ts";

ort.env.wasm.numThreads = 1;
// The runtime fetches no file if it is given bytes. It never reads these, because `withCompiledModule` replaces them.
ort.env.wasm.wasmBinary = new Uint8Array(1);

let creation: Promise<unknown> = Promise.resolve();
let memory: WebAssembly.Memory | null = null;

/** Returns the size of the runtime's WebAssembly memory in bytes, which never shrinks; 0 before the first session. */
export const runtimeMemoryBytes = (): number => memory?.buffer.byteLength ?? 0;

/**
 * Opens an ONNX session in workerd. Sessions are created one at a time, because `WebAssembly.instantiate` is replaced
 * meanwhile. Throws if the runtime refuses the file.
 */
export function openSession(bytes: Uint8Array, shape: FeatureShape): Promise<ModelSession> {
  const next = creation.then(() => withCompiledModule(() => create(bytes, shape)));
  creation = next.catch(() => undefined);
  return next;
}

async function create(bytes: Uint8Array, shape: FeatureShape): Promise<ModelSession> {
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  return createModelSession(ort, session, shape);
}

/** Runs `use` with the compiled module in place of bytes: the runtime compiles bytes, which Workers forbid. */
async function withCompiledModule<T>(use: () => Promise<T>): Promise<T> {
  const { instantiate } = WebAssembly;
  const fromModule = async (_bytes: unknown, imports: WebAssembly.Imports = {}) => {
    for (const value of Object.values(imports).flatMap((each) => Object.values(each)))
      if (value instanceof WebAssembly.Memory) memory = value;
    return { module: compiled, instance: await instantiate(compiled, imports) };
  };
  Reflect.set(WebAssembly, "instantiate", fromModule);
  try {
    return await use();
  } finally {
    Reflect.set(WebAssembly, "instantiate", instantiate);
  }
}
