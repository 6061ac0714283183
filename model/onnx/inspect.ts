import { fromBinary } from "@bufbuild/protobuf";
import { ok, type Result, refuse } from "../../shared/contracts/result.ts";
import type { FeatureShape } from "../features/batch.ts";
import { inputSpecs, outputSpecs, type TensorSpec } from "./export.ts";
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  type ValueInfoProto,
} from "./generated/onnx_pb.js";

/** Oldest and newest operator set that the runtime supports. */
const oldestOpset = 13;
const newestOpset = 21;
/** Largest accepted number of operators in a graph. */
const maxNodes = 20_000;

/**
 * Operators that a model must not use. The inputs decide how long a loop runs, random operators give different scores
 * for the same inputs, and features are neither text nor sequences.
 */
const refusedOperators: readonly RegExp[] = [
  /^(If|Loop|Scan)$/,
  /^(Random|Multinomial$|Bernoulli$)/,
  /^(Sequence|SplitToSequence$|ConcatFromSequence$|Optional)/,
  /^(String|TfIdfVectorizer$|RegexFullMatch$)/,
  /^ImageDecoder$/,
];

const elementTypes: Partial<Record<TensorProto_DataType, TensorSpec["type"]>> = {
  [TensorProto_DataType.FLOAT]: "float32",
  [TensorProto_DataType.INT32]: "int32",
};

/** Returns how an input or output differs from its spec; null if it matches. An open size may have any name. */
function tensorMismatch(kind: string, spec: TensorSpec, tensor: ValueInfoProto | undefined): string | null {
  const expected = `${spec.type}[${spec.shape.join(", ")}]`;
  if (tensor?.type?.value.case !== "tensorType")
    return `The file lacks the ${kind} "${spec.name}", ${expected}.`;
  const { elemType, shape } = tensor.type.value.value;
  const sizes = shape?.dim.map(({ value }) => (value.case === "dimValue" ? Number(value.value) : null));
  const type = elementTypes[elemType as TensorProto_DataType] ?? `type ${elemType}`;
  const fits =
    sizes === undefined
      ? kind === "output"
      : sizes.length === spec.shape.length &&
        sizes.every((size, i) =>
          typeof spec.shape[i] === "number" ? size === spec.shape[i] : size === null,
        );
  return fits && type === spec.type
    ? null
    : `The ${kind} "${spec.name}" must be ${expected}; it is ${type}[${(sizes ?? ["?"]).map((size) => size ?? "open").join(", ")}].`;
}

/** Returns the first problem of a graph's operators and weights; null if there is none. */
function graphProblem({ node, initializer }: GraphProto): string | null {
  if (node.length > maxNodes)
    return `The file has ${node.length} operators; at most ${maxNodes} are supported.`;
  for (const { opType, domain, attribute } of node) {
    if (domain !== "" && domain !== "ai.onnx")
      return `Operator ${opType} is from the domain ${domain}; only standard ONNX operators are supported.`;
    if (refusedOperators.some((each) => each.test(opType))) return `Operator ${opType} is not supported.`;
    if (attribute.some(({ g, graphs }) => g !== undefined || graphs.length > 0))
      return `Operator ${opType} has a subgraph; subgraphs are not supported.`;
  }
  const external = initializer.find(
    ({ dataLocation, externalData }) =>
      dataLocation === TensorProto_DataLocation.EXTERNAL || externalData.length > 0,
  );
  return external
    ? `The weights "${external.name}" are stored in another file; store them in the model file.`
    : null;
}

/**
 * Inspects a file before any runtime loads it. The file must be ONNX of a supported operator set, use only supported
 * operators, contain its weights, and have the inputs and outputs of the features. Otherwise the result is the error
 * `invalid_input`.
 */
export function inspectOnnx(bytes: Uint8Array, shape: FeatureShape, opset: number): Result<null> {
  const refuseFile = (detail: string): Result<null> => refuse("invalid_input", detail);
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch {
    return refuseFile("The file is not ONNX.");
  }
  const { graph, opsetImport, functions } = model;
  if (!graph || graph.node.length === 0) return refuseFile("The file is not ONNX: it has no graph.");
  const imported = opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version;
  if (imported === undefined || Number(imported) !== opset)
    return refuseFile(`The file uses operator set ${imported ?? "none"}, but the manifest states ${opset}.`);
  if (opset < oldestOpset || opset > newestOpset)
    return refuseFile(`Operator set ${opset} is not supported; use ${oldestOpset} to ${newestOpset}.`);
  if (functions.length > 0)
    return refuseFile("The file defines functions, which are not supported; inline them.");
  const problem = graphProblem(graph);
  if (problem !== null) return refuseFile(problem);
  const weights = new Set(graph.initializer.map(({ name }) => name));
  const inputs = graph.input.filter(({ name }) => !weights.has(name));
  const ports: [string, readonly TensorSpec[], readonly ValueInfoProto[]][] = [
    ["input", inputSpecs(shape), inputs],
    ["output", outputSpecs, graph.output],
  ];
  for (const [kind, specs, tensors] of ports) {
    for (const spec of specs) {
      const mismatch = tensorMismatch(
        kind,
        spec,
        tensors.find(({ name }) => name === spec.name),
      );
      if (mismatch !== null) return refuseFile(mismatch);
    }
    const extra = tensors.find(({ name }) => !specs.some((spec) => spec.name === name));
    if (extra && kind === "input")
      return refuseFile(`The input "${extra.name}" is not a feature input; remove it.`);
  }
  return ok(null);
}
