import { createRequire } from "node:module";
import type { FeatureBatch, FeatureShape } from "../../model/features/batch.ts";
import { onnxInputs } from "../../model/onnx/inputs.ts";

/** Types of the used parts of `onnxruntime-node`, which is not a dependency and may be absent. */
interface NativeRuntime {
  InferenceSession: {
    create(
      bytes: Uint8Array,
      options: { intraOpNumThreads: number; interOpNumThreads: number; executionMode: "sequential" },
    ): Promise<{ run(feeds: Record<string, unknown>): Promise<unknown>; release(): Promise<void> }>;
  };
  Tensor: new (type: "float32" | "int32", data: Float32Array | Int32Array, dims: number[]) => unknown;
}

/** Command that installs the runtime. Its install script is skipped, since it downloads files from outside npm. */
export const nativeInstallCommand = "npm install --no-save --ignore-scripts onnxruntime-node";

/** Returns a function that runs a model in native code on one thread; null if `onnxruntime-node` is not installed. */
export async function createNativeRunner(
  bytes: Uint8Array,
  shape: FeatureShape,
): Promise<((batch: FeatureBatch) => Promise<unknown>) | null> {
  let runtime: NativeRuntime;
  try {
    runtime = createRequire(import.meta.url)("onnxruntime-node");
  } catch {
    return null;
  }
  const session = await runtime.InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  const { Tensor } = runtime;
  return (batch) =>
    session.run(
      Object.fromEntries(
        Object.entries(onnxInputs(shape, batch)).map(([name, { type, data, dims }]) => [
          name,
          new Tensor(type, data, dims),
        ]),
      ),
    );
}
