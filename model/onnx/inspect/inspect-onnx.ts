import { fromBinary } from "@bufbuild/protobuf";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import type { FeatureShape } from "../../features/batch.ts";
import { inputSpecs, outputSpecs, type TensorSpec } from "../export.ts";
import { type ModelProto, ModelProtoSchema, type ValueInfoProto } from "../generated/onnx_pb.js";
import { inspectGraph, type ModelCost } from "./inspect-graph.ts";
import { grouped, modelLimits } from "./limits.ts";
import { ModelRefusal, refuseModel } from "./refusal.ts";
import { scanMessages } from "./scan-messages.ts";
import { elementTypes } from "./tensor.ts";

/** Oldest and newest operator set that the runtime supports. */
const oldestOpset = 13;
const newestOpset = 21;

/** Returns how an input or output differs from its spec; null if it matches. An open size may have any name. */
function tensorMismatch(kind: string, spec: TensorSpec, tensor: ValueInfoProto | undefined): string | null {
  const expected = `${spec.type}[${spec.shape.join(", ")}]`;
  if (tensor?.type?.value.case !== "tensorType")
    return `The file lacks the ${kind} "${spec.name}", ${expected}.`;
  const { elemType, shape } = tensor.type.value.value;
  const sizes = shape?.dim.map(({ value }) => (value.case === "dimValue" ? Number(value.value) : null));
  const type = elementTypes[elemType] ?? `type ${elemType}`;
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

/** Refuses a file that states another operator set than the manifest, or one that is not supported. */
function checkOpset({ opsetImport }: ModelProto, opset: number): void {
  const imported = opsetImport.filter(({ domain }) => domain === "" || domain === "ai.onnx");
  if (imported.length > 1) refuseModel("The file states the operator set of ONNX more than once.");
  const version = imported[0]?.version;
  if (version === undefined || Number(version) !== opset)
    refuseModel(`The file uses operator set ${version ?? "none"}, but the manifest states ${opset}.`);
  if (opset < oldestOpset || opset > newestOpset)
    refuseModel(`Operator set ${opset} is not supported; use ${oldestOpset} to ${newestOpset}.`);
}

/** Refuses a graph whose inputs or outputs are not those of the features. */
function checkPorts({ graph }: ModelProto, shape: FeatureShape): void {
  const weights = new Set(graph?.initializer.map(({ name }) => name));
  const inputs = graph?.input.filter(({ name }) => !weights.has(name)) ?? [];
  const ports: [string, readonly TensorSpec[], readonly ValueInfoProto[]][] = [
    ["input", inputSpecs(shape), inputs],
    ["output", outputSpecs, graph?.output ?? []],
  ];
  for (const [kind, specs, tensors] of ports) {
    if (new Set(tensors.map(({ name }) => name)).size < tensors.length)
      refuseModel(`The file has two ${kind}s with the same name.`);
    for (const spec of specs) {
      const mismatch = tensorMismatch(
        kind,
        spec,
        tensors.find(({ name }) => name === spec.name),
      );
      if (mismatch !== null) refuseModel(mismatch);
    }
    const extra = tensors.find(({ name }) => !specs.some((spec) => spec.name === name));
    if (extra)
      refuseModel(
        kind === "input"
          ? `The input "${extra.name}" is not a feature input; remove it.`
          : `The output "${extra.name}" is not used; remove it.`,
      );
  }
}

/** Parses a file. Refuses one that is not ONNX. */
function parse(bytes: Uint8Array): ModelProto {
  try {
    scanMessages(ModelProtoSchema, bytes);
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    if (error instanceof ModelRefusal) throw error;
    return refuseModel("The file is not ONNX.");
  }
}

/**
 * Inspects a file before any runtime loads it, and returns what it costs. The file must be ONNX of a supported operator
 * set, use only supported operators, contain its weights, have the inputs and outputs of the features, and stay within
 * {@link modelLimits} for every number of candidates. Otherwise the result is the error `invalid_input`, or `too_large`
 * for too many bytes. It never throws, whatever the bytes are.
 */
export function inspectOnnx(bytes: Uint8Array, shape: FeatureShape, opset: number): Result<ModelCost> {
  if (bytes.byteLength > modelLimits.bytes)
    return refuse(
      "too_large",
      `The file has ${grouped(bytes.byteLength)} bytes; a model has at most ${grouped(modelLimits.bytes)}.`,
    );
  try {
    const model = parse(bytes);
    const { graph, functions, trainingInfo } = model;
    if (!graph || graph.node.length === 0) return refuseModel("The file is not ONNX: it has no graph.");
    checkOpset(model, opset);
    if (functions.length > 0)
      refuseModel("The file defines functions, which are not supported; inline them.");
    if (trainingInfo.length > 0)
      refuseModel("The file has training information; export the model for inference.");
    checkPorts(model, shape);
    return ok(inspectGraph(graph, shape, opset));
  } catch (error) {
    if (error instanceof ModelRefusal) return refuse("invalid_input", error.message);
    throw error;
  }
}
