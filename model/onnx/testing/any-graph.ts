import { clone } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type NodeProto, type TensorProto, TensorProtoSchema } from "../generated/onnx_pb.js";
import { operators } from "../inspect/operators/operators.ts";
import { type AttributeValue, floats, integers, node } from "./build-model.ts";

const numbers = fc.oneof(
  fc.integer({ min: -9, max: 9 }),
  fc.constantFrom(0, 1, -1, 64, 2 ** 31, -(2 ** 31), 2 ** 52, 500, 499),
);
const bigNumbers = fc.oneof(numbers, fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n));
const weight: fc.Arbitrary<TensorProto> = fc.oneof(
  fc.array(bigNumbers, { maxLength: 5 }).map((values) => integers("", values)),
  bigNumbers.map((value) => integers("", [value], [])),
  fc.array(fc.nat(9), { maxLength: 4 }).map((dims) => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    return floats("", dims, new Array(count).fill(0.5));
  }),
);
const attributeNames = [
  "axis",
  "axes",
  "keepdims",
  "perm",
  "value",
  "start",
  "end",
  "to",
  "transA",
  "transB",
];
const attributes: fc.Arbitrary<Record<string, AttributeValue>> = fc.dictionary(
  fc.constantFrom(...attributeNames, "allowzero", "batch_dims", "num_outputs", "value_int", "value_ints"),
  fc.oneof(numbers, fc.array(numbers, { maxLength: 4 }), weight, fc.constant(0.5)),
  { maxKeys: 2 },
);

/** Graphs of supported operators whose inputs are any values before them. */
export const anyGraph: fc.Arbitrary<{ nodes: NodeProto[]; weights: TensorProto[] }> = fc
  .record({
    weights: fc.array(weight, { maxLength: 5 }),
    nodes: fc.array(
      fc.record({
        opType: fc.constantFrom(...operators.keys()),
        inputs: fc.array(fc.nat(30), { maxLength: 4 }),
        outputs: fc.constantFrom(1, 1, 1, 2, 3),
        attributes: fc.oneof(fc.constant({}), attributes),
      }),
      { maxLength: 20 },
    ),
  })
  .map(({ weights, nodes }) => {
    const names = ["dense", "pair", "event", "category", "historyCategory", "moment"];
    const named = weights.map((tensor, i) =>
      Object.assign(clone(TensorProtoSchema, tensor), { name: `w${i}` }),
    );
    names.push(...named.map(({ name }) => name));
    const built = nodes.map((each, i): NodeProto => {
      const inputs = each.inputs.map((index) => names[names.length - 1 - (index % names.length)]);
      const outputs = Array.from({ length: each.outputs }, (_, k) => `v${i}_${k}`);
      names.push(outputs[0]);
      return node(each.opType, inputs.join(" "), outputs.join(" "), each.attributes);
    });
    return { nodes: built, weights: named };
  });
