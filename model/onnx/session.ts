import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-web/wasm";
import { type FeatureBatch, type FeatureShape, momentParts, type Scores } from "../features/batch.ts";

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
    const outputs = await session.run({
      dense: new Tensor("float32", batch.dense, [batch.count, shape.dense.length]),
      pair: new Tensor("float32", batch.pair, [batch.count, shape.history, shape.pair.length]),
      category: new Tensor("int32", batch.category, [batch.count]),
      historyCategory: new Tensor("int32", batch.historyCategory, [shape.history]),
      moment: new Tensor("int32", batch.moment, [momentParts]),
    });
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
