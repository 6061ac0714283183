import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import * as ort from "onnxruntime-web/wasm";
import { expect, it } from "vitest";
import type { FeatureShape } from "../../features/batch.ts";
import { type NodeProto, type TensorProto, ValueInfoProtoSchema } from "../generated/onnx_pb.js";
import { onnxInputs } from "../inputs.ts";
import { randomBatch } from "../random-batch.ts";
import { anyGraph } from "../testing/any-graph.ts";
import { buildModel, modelBytes } from "../testing/build-model.ts";
import { inferGraph } from "./inspect-graph.ts";
import { ModelRefusal } from "./refusal.ts";
import { isBeyondExact, sizeAt } from "./size.ts";

ort.env.wasm.numThreads = 1;

const shape: FeatureShape = {
  dense: ["a", "b", "c"],
  pair: ["x", "y"],
  event: ["present", "u", "v"],
  history: 2,
  categories: 5,
  hash: "h",
};

/** Runs a model whose tensors are all outputs; null if the runtime refuses it. */
async function run(nodes: readonly NodeProto[], weights: readonly TensorProto[], count: number) {
  const model = buildModel(shape, nodes, weights);
  for (const name of nodes.flatMap(({ output }) => output))
    model.graph.output.push(create(ValueInfoProtoSchema, { name }));
  const feeds = Object.entries(onnxInputs(shape, randomBatch(shape, count, 1))).map(
    ([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)] as const,
  );
  try {
    const session = await ort.InferenceSession.create(modelBytes(model), {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "disabled",
      logSeverityLevel: 4,
    });
    try {
      return await session.run(Object.fromEntries(feeds), { logSeverityLevel: 4 });
    } finally {
      await session.release();
    }
  } catch {
    return null;
  }
}

it("S8: what the inspection accepts, the runtime computes in the inferred sizes or not at all", async () => {
  const compared = new Set<string>();
  await fc.assert(
    fc.asyncProperty(anyGraph, async ({ nodes, weights }) => {
      // Nodes that either side refuses are left out, so that the others follow each other.
      const kept: NodeProto[] = [];
      for (const each of nodes) {
        const next = [...kept, each];
        let values: ReturnType<typeof inferGraph>["values"];
        try {
          ({ values } = inferGraph(buildModel(shape, next, weights).graph, shape, 17));
        } catch (error) {
          expect(error).toBeInstanceOf(ModelRefusal);
          continue;
        }
        let isKept = true;
        for (const count of [1, 3, 500]) {
          const outputs = await run(next, weights, count);
          isKept &&= outputs !== null;
          for (const name of outputs ? each.output : []) {
            const { dims, data } = (outputs as ort.InferenceSession.OnnxValueMapType)[name] as ort.Tensor;
            const inferred = values.get(name);
            expect(inferred?.dims.map((size) => sizeAt(size, count))).toEqual([...dims]);
            inferred?.values?.forEach((value, i) => {
              // Numbers beyond the exact range stand for the end of an axis.
              if (value !== null && !isBeyondExact(value))
                expect(Number(data[i]), `${name}[${i}]`).toBe(sizeAt(value, count));
            });
            compared.add(each.opType);
          }
        }
        if (isKept) kept.push(each);
      }
    }),
    // The short form takes the same graphs each time; the long form takes others.
    process.env.VICINITY_LONG ? { numRuns: 15_000 } : { numRuns: 1500, seed: 1 },
  );
  expect(compared.size).toBeGreaterThan(30);
});
