import type { FeatureBatch, FeatureShape, Scores } from "../features/batch.ts";

/** The part of the ONNX runtime that is used; its builds for Node and for Workers both have it. */
export interface Runtime {
  Tensor: new (
    type: "float32" | "int32",
    data: Float32Array | Int32Array,
    dims: readonly number[],
  ) => RuntimeTensor;
}
export interface RuntimeTensor {
  readonly data: unknown;
}
export interface RuntimeSession {
  run(feeds: Record<string, RuntimeTensor>): Promise<Record<string, RuntimeTensor>>;
  release(): Promise<void>;
}

/** A loaded model. */
export interface Session {
  /** Runs one batch. Calls may overlap; they are carried out one after the other. */
  run(batch: FeatureBatch): Promise<Scores>;
  release(): Promise<void>;
}

/** Wraps a runtime's session: one run at a time, as the runtime requires. */
export function sessionOver(runtime: Runtime, session: RuntimeSession, shape: FeatureShape): Session {
  let last: Promise<unknown> = Promise.resolve();
  const run = async (batch: FeatureBatch): Promise<Scores> => {
    const { Tensor } = runtime;
    const outputs = await session.run({
      dense: new Tensor("float32", batch.dense, [batch.count, shape.dense.length]),
      pair: new Tensor("float32", batch.pair, [batch.count, shape.history, shape.pair.length]),
      category: new Tensor("int32", batch.category, [batch.count]),
      historyCategory: new Tensor("int32", batch.historyCategory, [shape.history]),
    });
    return { engage: floats(outputs.engage), purchase: floats(outputs.purchase) };
  };
  return {
    run(batch) {
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

function floats(tensor: RuntimeTensor | undefined): Float32Array {
  if (!tensor || !(tensor.data instanceof Float32Array)) throw new Error("the model's output is not float32");
  return tensor.data;
}
