import { fromBinary } from "@bufbuild/protobuf";
import { ok, type Result, refuse } from "../../shared/contracts/result.ts";
import type { FeatureShape } from "../features/batch.ts";
import { inputSpecs, outputSpecs, type PortSpec } from "./export.ts";
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  type ValueInfoProto,
} from "./generated/onnx_pb.js";

/** Operator sets that the runtime serves. */
const oldestOpset = 13;
const newestOpset = 21;
/** Operators of a graph that are looked at, at most. */
const maxNodes = 20_000;

/**
 * Operators that a model may not use: loops take as long as their data says, random ones answer the same question in two
 * ways, texts and sequences are nothing that a feature is.
 */
const refusedOperators: readonly RegExp[] = [
  /^(If|Loop|Scan)$/,
  /^(Random|Multinomial$|Bernoulli$)/,
  /^(Sequence|SplitToSequence$|ConcatFromSequence$|Optional)/,
  /^(String|TfIdfVectorizer$|RegexFullMatch$)/,
  /^ImageDecoder$/,
];

const types: Partial<Record<TensorProto_DataType, PortSpec["type"]>> = {
  [TensorProto_DataType.FLOAT]: "float32",
  [TensorProto_DataType.INT32]: "int32",
};

/** What keeps a port of the file from being what the specification asks; null for nothing. An open size may have any name. */
function mismatch(kind: string, spec: PortSpec, given: ValueInfoProto | undefined): string | null {
  const wanted = `${spec.type}[${spec.shape.join(", ")}]`;
  if (given?.type?.value.case !== "tensorType") return `It has no ${kind} "${spec.name}", ${wanted}.`;
  const { elemType, shape } = given.type.value.value;
  const sizes = shape?.dim.map(({ value }) => (value.case === "dimValue" ? Number(value.value) : null));
  const type = types[elemType as TensorProto_DataType] ?? `type ${elemType}`;
  const fits =
    sizes === undefined
      ? kind === "output"
      : sizes.length === spec.shape.length &&
        sizes.every((size, i) =>
          typeof spec.shape[i] === "number" ? size === spec.shape[i] : size === null,
        );
  return fits && type === spec.type
    ? null
    : `Its ${kind} "${spec.name}" is ${type}[${(sizes ?? ["?"]).map((size) => size ?? "open").join(", ")}], not ${wanted}.`;
}

/** What is wrong with the operators and weights of a graph; null for nothing. */
function wrongIn({ node, initializer }: GraphProto): string | null {
  if (node.length > maxNodes) return `It has more than ${maxNodes} operators.`;
  for (const { opType, domain, attribute } of node) {
    if (domain !== "" && domain !== "ai.onnx")
      return `Operator ${opType} is of ${domain}, not of ONNX itself.`;
    if (refusedOperators.some((each) => each.test(opType))) return `Operator ${opType} is not taken.`;
    if (attribute.some(({ g, graphs }) => g !== undefined || graphs.length > 0))
      return `Operator ${opType} has a graph of its own, which is not taken.`;
  }
  const external = initializer.find(
    ({ dataLocation, externalData }) =>
      dataLocation === TensorProto_DataLocation.EXTERNAL || externalData.length > 0,
  );
  return external ? `Its weights "${external.name}" lie in another file.` : null;
}

/**
 * Checks what a file says of itself, before any runtime touches it: that it is ONNX of a known operator set, uses no operator
 * that is not taken, carries its weights, and has the inputs and outputs of the features. Refuses with `invalid_input`.
 */
export function inspectOnnx(bytes: Uint8Array, shape: FeatureShape, opset: number): Result<null> {
  const wrong = (detail: string): Result<null> => refuse("invalid_input", detail);
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch {
    return wrong("The file is not ONNX.");
  }
  const { graph, opsetImport, functions } = model;
  if (!graph || graph.node.length === 0) return wrong("The file is not ONNX: it has no graph.");
  const imported = opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version;
  if (imported === undefined || Number(imported) !== opset)
    return wrong(`The file is of operator set ${imported ?? "none"}, the manifest says ${opset}.`);
  if (opset < oldestOpset || opset > newestOpset)
    return wrong(`Operator set ${opset} is not taken: ${oldestOpset} to ${newestOpset} are.`);
  if (functions.length > 0) return wrong("Functions of its own are not taken: inline them.");
  const damage = wrongIn(graph);
  if (damage !== null) return wrong(damage);
  const weights = new Set(graph.initializer.map(({ name }) => name));
  const inputs = graph.input.filter(({ name }) => !weights.has(name));
  const ports: [string, readonly PortSpec[], readonly ValueInfoProto[]][] = [
    ["input", inputSpecs(shape), inputs],
    ["output", outputSpecs, graph.output],
  ];
  for (const [kind, specs, given] of ports) {
    for (const spec of specs) {
      const why = mismatch(
        kind,
        spec,
        given.find(({ name }) => name === spec.name),
      );
      if (why !== null) return wrong(why);
    }
    const more = given.find(({ name }) => !specs.some((spec) => spec.name === name));
    if (more && kind === "input") return wrong(`Nothing is given for its input "${more.name}".`);
  }
  return ok(null);
}
