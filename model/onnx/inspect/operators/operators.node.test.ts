import { create } from "@bufbuild/protobuf";
import * as ort from "onnxruntime-web/wasm";
import { describe, expect, it } from "vitest";
import type { FeatureShape } from "../../../features/batch.ts";
import { type NodeProto, type TensorProto, ValueInfoProtoSchema } from "../../generated/onnx_pb.js";
import { onnxInputs } from "../../inputs.ts";
import { randomBatch } from "../../random-batch.ts";
import { buildModel, floats, integers, modelBytes, node } from "../../testing/build-model.ts";
import { inferGraph } from "../inspect-graph.ts";
import { sizeAt } from "../size.ts";
import { operators } from "./operators.ts";

ort.env.wasm.numThreads = 1;

/** `dense` is [n, 6], `pair` [n, 4, 2], `event` [4, 3], `category` int32[n], `historyCategory` int32[4]. */
const shape: FeatureShape = {
  dense: ["a", "b", "c", "d", "e", "f"],
  pair: ["x", "y"],
  event: ["present", "u", "v"],
  history: 4,
  categories: 5,
  hash: "h",
};

interface Example {
  nodes: NodeProto[];
  weights?: TensorProto[];
  opset?: number;
}

const weight = (...dims: number[]) =>
  floats(
    "w",
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i / 10),
  );
const unaryNames = [
  ...["Abs", "Ceil", "Celu", "Cos", "Elu", "Erf", "Exp", "Floor", "HardSigmoid", "HardSwish", "Identity"],
  ...["LeakyRelu", "Log", "Neg", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Softplus"],
  ...["Softsign", "Sqrt", "Tanh", "ThresholdedRelu", "LogSoftmax", "Softmax", "Trilu"],
];
const binaryNames = ["Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "Mean", "PRelu"];
const comparisonNames = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"];
const reductionNames = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"];

/** Graphs that use each operator, as exporters write them. The runtime runs them, and the inference must agree. */
const examples: Record<string, Example> = {
  ...Object.fromEntries(unaryNames.map((name) => [name, { nodes: [node(name, "dense", "out")] }])),
  ...Object.fromEntries(
    ["Gelu", "Mish"].map((name) => [name, { nodes: [node(name, "dense", "out")], opset: 20 }]),
  ),
  Trilu: { nodes: [node("Trilu", "pair", "out")] },
  Clip: {
    nodes: [node("Clip", "dense low high", "out")],
    weights: [floats("low", [], [-1]), floats("high", [], [1])],
  },
  ...Object.fromEntries(
    binaryNames.map((name) => [
      name,
      {
        nodes: [node(name, "dense w", "out"), node(name, "pair one", "other")],
        weights: [weight(6), floats("one", [1, 1, 1], [2])],
      },
    ]),
  ),
  Mod: {
    nodes: [node("Cast", "two", "int32", { to: 6 }), node("Mod", "category int32", "out")],
    weights: [integers("two", [2])],
  },
  ...Object.fromEntries(
    comparisonNames.map((name) => [name, { nodes: [node(name, "dense w", "out")], weights: [weight(6)] }]),
  ),
  Logic: {
    nodes: [
      node("Greater", "dense w", "a"),
      node("Not", "a", "b"),
      node("And", "a b", "and"),
      node("Or", "a b", "or"),
      node("Xor", "a b", "xor"),
      node("IsNaN", "dense", "nan"),
      node("Where", "a dense w", "out"),
    ],
    weights: [weight(6)],
  },
  Cast: {
    nodes: [
      node("Cast", "dense", "i", { to: 7 }),
      node("Cast", "i", "f", { to: 11 }),
      node("Cast", "i", "b", { to: 9 }),
    ],
  },
  ...Object.fromEntries(
    reductionNames.map((name) => [
      `Reduce${name}`,
      name === "Sum"
        ? {
            nodes: [node("ReduceSum", "pair axes", "out"), node("ReduceSum", "pair", "all", { keepdims: 0 })],
            weights: [integers("axes", [1])],
          }
        : {
            nodes: [
              node(`Reduce${name}`, "pair", "out", { axes: [-1], keepdims: 0 }),
              node(`Reduce${name}`, "pair", "all"),
            ],
          },
    ]),
  ),
  "ReduceMean of operator set 18": {
    nodes: [node("ReduceMean", "pair axes", "out")],
    weights: [integers("axes", [0, 2])],
    opset: 18,
  },
  "ReduceMean without axes": {
    nodes: [node("ReduceMean", "pair", "out", { noop_with_empty_axes: 1 })],
    opset: 18,
  },
  Argument: {
    nodes: [
      node("ArgMax", "pair", "out", { axis: 1 }),
      node("ArgMin", "pair", "min", { axis: -1, keepdims: 0 }),
    ],
  },
  TopK: { nodes: [node("TopK", "dense k", "out index")], weights: [integers("k", [2])] },
  CumSum: { nodes: [node("CumSum", "dense axis", "out")], weights: [integers("axis", 1)] },
  MatMul: {
    nodes: [
      node("MatMul", "dense w", "out"),
      node("MatMul", "pair pairs", "batch"),
      node("MatMul", "event vector", "right"),
      node("MatMul", "vector events", "left"),
    ],
    weights: [
      weight(6, 2),
      floats("pairs", [1, 2, 3], [1, 2, 3, 4, 5, 6]),
      floats("vector", [3], [1, 2, 3]),
      floats("events", [3, 2], [1, 2, 3, 4, 5, 6]),
    ],
  },
  Gemm: {
    nodes: [
      node("Gemm", "dense w bias", "out"),
      node("Gemm", "dense dense", "square", { transB: 1 }),
      node("Gemm", "dense dense", "six", { transA: 1 }),
    ],
    weights: [weight(6, 2), floats("bias", [1, 2], [1, 2])],
  },
  BatchNormalization: {
    nodes: [node("BatchNormalization", "dense w w w w", "out")],
    weights: [weight(6)],
  },
  LayerNormalization: {
    nodes: [node("LayerNormalization", "dense w", "out mean deviation", { axis: -1 })],
    weights: [weight(6)],
  },
  Shape: {
    nodes: [
      node("Shape", "pair", "all"),
      node("Shape", "pair", "some", { start: 1 }),
      node("Shape", "pair", "last", { start: -1 }),
      node("Size", "pair", "count"),
    ],
  },
  Reshape: {
    nodes: [node("Reshape", "pair flat", "out"), node("Reshape", "pair copied", "same")],
    weights: [integers("flat", [-1, 2]), integers("copied", [0, -1])],
  },
  "Reshape to a computed shape": {
    nodes: [
      node("Shape", "dense", "sizes"),
      node("Gather", "sizes zero", "n"),
      node("Unsqueeze", "n axes", "list"),
      node("Concat", "list rest", "shape", { axis: 0 }),
      node("Reshape", "pair shape", "out"),
      node("Mul", "n four", "rows"),
      node("Div", "rows two", "half"),
      node("Unsqueeze", "half axes", "halves"),
    ],
    weights: [
      integers("zero", 0),
      integers("axes", [0]),
      integers("rest", [-1]),
      integers("four", 4),
      integers("two", 2),
    ],
  },
  Flatten: { nodes: [node("Flatten", "pair", "out"), node("Flatten", "pair", "all", { axis: 3 })] },
  Squeeze: {
    nodes: [
      node("Unsqueeze", "dense axes", "out"),
      node("Squeeze", "out axes", "back"),
      node("Squeeze", "w", "scalar"),
    ],
    weights: [integers("axes", [1]), weight(1, 2)],
  },
  Transpose: {
    nodes: [node("Transpose", "pair", "out", { perm: [2, 0, 1] }), node("Transpose", "pair", "turned")],
  },
  Concat: {
    nodes: [
      node("Concat", "dense dense", "out", { axis: -1 }),
      node("Concat", "dense dense", "long", { axis: 0 }),
    ],
  },
  Split: {
    nodes: [node("Split", "dense", "a b c", { axis: 1 }), node("Split", "dense sizes", "d e", { axis: 1 })],
    weights: [integers("sizes", [2, 4])],
  },
  "Split of operator set 18": {
    nodes: [node("Split", "event", "a b", { axis: 1, num_outputs: 2 })],
    opset: 18,
  },
  Slice: {
    nodes: [
      node("Slice", "dense s e axes", "out"),
      node("Slice", "dense first end rows", "tail"),
      node("Slice", "dense s back axes", "head"),
      node("Slice", "dense end start axes down", "reversed"),
      node("Slice", "dense s e axes two", "odd"),
    ],
    weights: [
      integers("s", [1]),
      integers("e", [100]),
      integers("axes", [1]),
      integers("rows", [0]),
      integers("first", [1]),
      integers("end", [2n ** 63n - 1n]),
      integers("start", [-(2n ** 63n)]),
      integers("back", [-2]),
      integers("down", [-1]),
      integers("two", [2]),
    ],
  },
  Gather: {
    nodes: [
      node("Gather", "w category", "out"),
      node("Gather", "dense column", "one", { axis: 1 }),
      node("Gather", "w historyCategory", "before"),
    ],
    weights: [weight(5, 3), integers("column", 2)],
  },
  GatherElements: {
    nodes: [
      node("GatherElements", "dense index", "out", { axis: 1 }),
      node("ArgMax", "dense", "index", { axis: 1 }),
    ].reverse(),
  },
  GatherND: {
    nodes: [node("GatherND", "event index", "out")],
    weights: [integers("index", [1, 2, 0, 1], [2, 2])],
  },
  OneHot: {
    nodes: [
      node("Cast", "category", "index", { to: 7 }),
      node("OneHot", "index depth w", "out"),
      node("OneHot", "index depth w", "first", { axis: 0 }),
    ],
    weights: [integers("depth", 5), weight(2)],
  },
  "Expand as the older exporter of PyTorch writes it": {
    nodes: [
      node("Shape", "dense", "sizes"),
      node("Gather", "sizes zero", "n"),
      node("Unsqueeze", "n axes", "list"),
      node("Concat", "list minus minus", "wanted", { axis: 0 }),
      node("Shape", "wanted", "rank"),
      node("ConstantOfShape", "rank", "ones", { value: integers("", [1]) }),
      node("Mul", "ones minus", "all_minus"),
      node("Equal", "wanted all_minus", "is_minus"),
      node("Where", "is_minus ones wanted", "shape"),
      node("Unsqueeze", "event axes", "one_event"),
      node("Expand", "one_event shape", "out"),
    ],
    weights: [integers("zero", 0), integers("axes", [0]), integers("minus", [-1])],
  },
  Tile: { nodes: [node("Tile", "dense repeats", "out")], weights: [integers("repeats", [1, 3])] },
  Pad: {
    nodes: [node("Pad", "dense pads", "out")],
    weights: [integers("pads", [0, 1, 2, 1])],
  },
  Range: {
    nodes: [
      node("Shape", "dense", "sizes"),
      node("Gather", "sizes zero", "n"),
      node("Range", "zero n one", "out"),
      node("Range", "zero seven two", "odd"),
    ],
    weights: [integers("zero", 0), integers("one", 1), integers("two", 2), integers("seven", 7)],
  },
  Constant: {
    nodes: [
      node("Constant", "", "tensor", { value: floats("", [2, 2], [1, 2, 3, 4]) }),
      node("Constant", "", "int", { value_int: 3 }),
      node("Constant", "", "ints", { value_ints: [3, 4] }),
      node("Constant", "", "float", { value_float: 0.5 }),
    ],
  },
  ConstantOfShape: {
    nodes: [
      node("Shape", "pair", "sizes"),
      node("ConstantOfShape", "sizes", "out"),
      node("ConstantOfShape", "list", "ones", { value: integers("", [1]) }),
    ],
    weights: [integers("list", [2, 3])],
  },
};

/** Returns the tensors that the runtime computes, by name. */
async function run({ nodes, weights, opset }: Example, count: number) {
  const model = buildModel(shape, nodes, weights, opset);
  const names = nodes.flatMap(({ output }) => output);
  for (const name of names) model.graph.output.push(create(ValueInfoProtoSchema, { name }));
  const session = await ort.InferenceSession.create(modelBytes(model), {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "disabled",
  });
  const feeds = Object.entries(onnxInputs(shape, randomBatch(shape, count, 1))).map(
    ([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)] as const,
  );
  const outputs = await session.run(Object.fromEntries(feeds));
  await session.release();
  return names.map((name) => ({
    name,
    type: outputs[name].type,
    dims: [...outputs[name].dims],
    data: outputs[name].data,
  }));
}

describe("the inference of operators", () => {
  it("has an example of every operator", () => {
    const used = new Set(Object.values(examples).flatMap(({ nodes }) => nodes.map(({ opType }) => opType)));
    expect([...operators.keys()].filter((name) => !used.has(name))).toEqual([]);
  });

  it.each(Object.keys(examples))("agrees with the runtime: %s", async (title) => {
    const example = examples[title];
    const { graph } = buildModel(shape, example.nodes, example.weights, example.opset);
    const { values } = inferGraph(graph, shape, example.opset ?? 17);
    for (const count of [1, 3, 7])
      for (const { name, type, dims, data } of await run(example, count)) {
        const inferred = values.get(name);
        expect({
          name,
          type: inferred?.type,
          dims: inferred?.dims.map((size) => sizeAt(size, count)),
        }).toEqual({
          name,
          type,
          dims,
        });
        // The values of shapes, too.
        inferred?.values?.forEach((value, i) => {
          if (value !== null) expect(Number(data[i]), `${name}[${i}]`).toBe(sizeAt(value, count));
        });
      }
  });
});
