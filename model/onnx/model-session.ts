import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-web/wasm";
import type { FeatureBatch, FeatureShape, Scores } from "../features/batch.ts";
import { onnxInputs } from "./inputs.ts";

/** A model that is loaded in the ONNX runtime. */
export interface ModelSession {
  /** Returns the scores of one batch. Calls may overlap; the session runs them one after another. */
  run(batch: FeatureBatch): Promise<Scores>;
  /** Frees the model's memory after all started runs. Later runs fail. */
  release(): Promise<void>;
}

/**
 * Wraps a session of the ONNX runtime, and runs one batch at a time, as the runtime requires. Callers pass the runtime,
 * since Node and Workers load it differently.
 */
export function createModelSession(
  runtime: { Tensor: TensorConstructor },
  session: Pick<InferenceSession, "run" | "release">,
  shape: FeatureShape,
): ModelSession {
  const { Tensor } = runtime;
  let last: Promise<unknown> = Promise.resolve();
  const run = async (batch: FeatureBatch): Promise<Scores> => {
    const feeds = Object.entries(onnxInputs(shape, batch)).map(
      ([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)] as const,
    );
    const outputs = await session.run(Object.fromEntries(feeds));
    return { engage: floats(outputs.engage), purchase: floats(outputs.purchase) };
  };
  return {
    run(batch) {
      // The graph infers the open size from the inputs, which is impossible without candidates.
      if (batch.count === 0)
        return Promise.resolve({ engage: new Float32Array(), purchase: new Float32Array() });
      const next = last.then(() => run(batch));
      last = next.catch(() => undefined);
      return next;
    },
    async release() {
      await last;
      await session.release();
    },
  };
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array))
    throw new Error("the model has an output that is not a float32 tensor");
  return tensor.data;
}
