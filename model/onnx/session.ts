import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-web/wasm";
import type { FeatureBatch, FeatureShape, Scores } from "../features/batch.ts";
import { inputsOf } from "./inputs.ts";

/** A loaded model. */
export interface Session {
  /** Runs one batch. Calls may overlap; they are carried out one after the other. */
  run(batch: FeatureBatch): Promise<Scores>;
  /** Gives its memory back after the runs that were asked for; later ones fail. */
  release(): Promise<void>;
}

/**
 * Wraps a session of the ONNX runtime: one run at a time, as the runtime requires. The runtime itself is passed in, since
 * Node and Workers load it differently.
 */
export function sessionOver(
  runtime: { Tensor: TensorConstructor },
  session: Pick<InferenceSession, "run" | "release">,
  shape: FeatureShape,
): Session {
  const { Tensor } = runtime;
  let last: Promise<unknown> = Promise.resolve();
  const run = async (batch: FeatureBatch): Promise<Scores> => {
    const feeds = Object.entries(inputsOf(shape, batch)).map(
      ([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)] as const,
    );
    const outputs = await session.run(Object.fromEntries(feeds));
    return { engage: floats(outputs.engage), purchase: floats(outputs.purchase) };
  };
  return {
    run(batch) {
      // The graph infers its open dimension from the sizes, which nothing has none of.
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
  if (!(tensor?.data instanceof Float32Array)) throw new Error("the model's output is not float32");
  return tensor.data;
}
