import type { FeatureShape } from "../../features/batch.ts";
import { inputSpecs } from "../export.ts";
import type { GraphProto, NodeProto } from "../generated/onnx_pb.js";
import { grouped, maxCandidatesPerRun, modelLimits } from "./limits.ts";
import { attributeTypes } from "./operators/constants.ts";
import { NodeContext, nodeLabel, quoted } from "./operators/node-context.ts";
import { operators } from "./operators/operators.ts";
import { refuseModel } from "./refusal.ts";
import { candidateCount, constantSize, equalSizes, isDimension, sizeText } from "./size.ts";
import { constantTensor, type TensorInfo, tensorBytes } from "./tensor.ts";

/** What a model costs in one run with the longest list, and while it loads. */
export interface ModelCost {
  multiplyAdds: number;
  /** Bytes of all tensors that the operators compute. */
  tensorBytes: number;
}

/** The values of a graph by name. */
class GraphValues {
  readonly #values = new Map<string, TensorInfo>();

  define(name: string, tensor: TensorInfo): void {
    if (this.#values.has(name)) refuseModel(`The graph has two values with the name ${quoted(name)}.`);
    this.#values.set(name, tensor);
  }

  get(name: string): TensorInfo | undefined {
    return this.#values.get(name);
  }
}

/** Refuses a node that is not made of supported parts. */
function checkNode(node: NodeProto, index: number): void {
  const label = nodeLabel(node, index);
  const { domain, opType, attribute } = node;
  if (domain !== "" && domain !== "ai.onnx")
    refuseModel(
      `${label}: it is from the domain ${quoted(domain)}; only standard ONNX operators are supported.`,
    );
  if (attribute.some(({ g, graphs }) => g !== undefined || graphs.length > 0))
    refuseModel(`${label}: it has a subgraph; subgraphs are not supported.`);
  if (!operators.has(opType))
    refuseModel(
      `${label}: this operator is not supported. Supported are ${[...operators.keys()].sort().join(", ")}.`,
    );
  for (const { name, type, refAttrName, sparseTensor, typeProtos } of attribute)
    if (!attributeTypes.has(type) || refAttrName !== "" || sparseTensor || typeProtos.length > 0)
      refuseModel(`${label}: its attribute ${quoted(name)} has a type that is not supported.`);
}

/** Refuses a tensor that is too large for the longest list. */
function checkSize(node: NodeContext, name: string, tensor: TensorInfo): void {
  const { dims } = tensor;
  const text = `[${dims.map(sizeText).join(", ")}]`;
  if (dims.length > modelLimits.rank)
    node.refuse(
      `its output ${quoted(name)} has ${dims.length} dimensions; at most ${modelLimits.rank} are supported`,
    );
  if (!dims.every(isDimension)) node.refuse(`its output ${quoted(name)} would have the size ${text}`);
  const bytes = tensorBytes(tensor);
  if (bytes > modelLimits.tensorBytes)
    node.refuse(
      `its output ${quoted(name)} of size ${text} has ${grouped(bytes)} bytes for n = ${maxCandidatesPerRun} candidates; at most ${grouped(modelLimits.tensorBytes)} are allowed`,
    );
}

/** Infers one node, defines its outputs and adds its cost. */
function inspectNode(
  node: NodeProto,
  index: number,
  opset: number,
  values: GraphValues,
  cost: ModelCost,
): void {
  checkNode(node, index);
  const inputs = node.input.map((name) => {
    if (name === "") return null;
    return (
      values.get(name) ??
      refuseModel(
        `${nodeLabel(node, index)}: it reads ${quoted(name)}, which is no input or weight, and which no operator before it computes. Operators must be in order, without cycles.`,
      )
    );
  });
  const context = new NodeContext(node, index, inputs, opset);
  const infer = operators.get(node.opType);
  if (!infer) return;
  const { outputs, multiplyAdds } = infer(context);
  if (node.output.length > outputs.length)
    context.refuse(`has ${node.output.length} outputs; at most ${outputs.length} are supported`);
  outputs.forEach((tensor, i) => {
    const name = node.output[i] ?? "";
    checkSize(context, name, tensor);
    cost.tensorBytes += tensorBytes(tensor);
    if (name !== "") values.define(name, tensor);
  });
  cost.multiplyAdds += multiplyAdds;
  if (!(cost.tensorBytes <= modelLimits.totalTensorBytes))
    context.refuse(
      `the operators up to here compute ${grouped(cost.tensorBytes)} bytes for ${maxCandidatesPerRun} candidates; at most ${grouped(modelLimits.totalTensorBytes)} are allowed`,
    );
  if (!(cost.multiplyAdds <= modelLimits.multiplyAdds))
    context.refuse(
      `the operators up to here cost ${grouped(cost.multiplyAdds)} multiply-adds for ${maxCandidatesPerRun} candidates; at most ${grouped(modelLimits.multiplyAdds)} are allowed`,
    );
}

/**
 * Infers each tensor of a graph for every number of candidates, without running it, and returns the tensors by name and
 * the cost. Refuses a graph with operators that are not supported, with shapes that depend on data, or that costs more
 * than {@link modelLimits}.
 */
export function inferGraph(
  graph: GraphProto,
  shape: FeatureShape,
  opset: number,
): { values: GraphValues; cost: ModelCost } {
  if (graph.node.length > modelLimits.nodes)
    refuseModel(
      `The file has ${grouped(graph.node.length)} operators; at most ${grouped(modelLimits.nodes)} are supported.`,
    );
  if (graph.sparseInitializer.length > 0)
    refuseModel("The file has sparse weights, which are not supported.");
  if (graph.quantizationAnnotation.length > 0)
    refuseModel("The file has annotations of quantization, which are not supported.");
  const values = new GraphValues();
  for (const { name, type, shape: dims } of inputSpecs(shape))
    values.define(name, {
      type,
      dims: dims.map((size) => (typeof size === "number" ? (constantSize(size) ?? []) : candidateCount)),
    });
  for (const tensor of graph.initializer)
    values.define(tensor.name, constantTensor(tensor, `The weights ${quoted(tensor.name)}`));
  const cost: ModelCost = { multiplyAdds: 0, tensorBytes: 0 };
  for (const [index, node] of graph.node.entries()) inspectNode(node, index, opset, values, cost);
  return { values, cost };
}

/** Infers a graph by {@link inferGraph} and returns its cost. Refuses one whose heads are not float32[n]. */
export function inspectGraph(graph: GraphProto, shape: FeatureShape, opset: number): ModelCost {
  const { values, cost } = inferGraph(graph, shape, opset);
  for (const { name } of graph.output) {
    const output = values.get(name);
    if (!output) refuseModel(`No operator computes the output ${quoted(name)}.`);
    if (
      !(output.type === "float32" && output.dims.length === 1 && equalSizes(output.dims[0], candidateCount))
    )
      refuseModel(
        `The output ${quoted(name)} must be float32[n] for n candidates; the operators compute ${output.type}[${output.dims.map(sizeText).join(", ")}].`,
      );
  }
  return cost;
}
