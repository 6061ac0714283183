import { create } from "@bufbuild/protobuf";
import { maxStandardized, type Ops } from "../network/ops.ts";
import type { Parameters } from "../network/parameters.ts";
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
} from "./generated/onnx_pb.js";

/** Builds the network as nodes of an ONNX graph. A tensor is the name of a value in the graph. */
export class GraphBuilder implements Ops<string> {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #parameters: Parameters;
  readonly #constants = new Set<string>();
  #count = 0;

  constructor(parameters: Parameters) {
    this.#parameters = parameters;
  }

  /** Adds a node and returns the name of its output. */
  node(
    opType: string,
    input: string[],
    attribute: AttributeProto[] = [],
    output = `v${this.#count++}`,
  ): string {
    this.nodes.push(
      create(NodeProtoSchema, { name: `${opType}_${output}`, opType, input, output: [output], attribute }),
    );
    return output;
  }

  /** Adds a constant tensor once for each name, and returns the name. */
  #constant(name: string, dims: number[], values: Float32Array | BigInt64Array): string {
    if (!this.#constants.has(name)) {
      this.#constants.add(name);
      this.initializers.push(
        create(TensorProtoSchema, {
          name,
          dims: dims.map(BigInt),
          dataType: values instanceof Float32Array ? TensorProto_DataType.FLOAT : TensorProto_DataType.INT64,
          rawData: new Uint8Array(
            values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength),
          ),
        }),
      );
    }
    return name;
  }

  /** Adds a constant list of integers: a shape or a list of axes. */
  #integers(values: number[]): string {
    return this.#constant(`i_${values.join("_")}`, [values.length], BigInt64Array.from(values.map(BigInt)));
  }

  #scalar(value: number): string {
    return this.#constant(`f_${value}`, [], Float32Array.of(value));
  }

  parameter(name: string): string {
    const parameter = this.#parameters.get(name);
    if (!parameter) throw new Error(`the model has no parameter named "${name}"`);
    return this.#constant(name, [parameter.rows, parameter.columns], parameter.data);
  }

  linear(x: string, w: string, b?: string): string {
    return this.node("Gemm", b === undefined ? [x, w] : [x, w, b]);
  }

  relu(x: string): string {
    return this.node("Relu", [x]);
  }

  add(a: string, b: string): string {
    return this.node("Add", [a, b]);
  }

  multiply(a: string, b: string): string {
    return this.node("Mul", [a, b]);
  }

  standardize(x: string, mean: string, scale: string): string {
    const value = this.node("Mul", [this.node("Sub", [x, mean]), scale]);
    // The same as Clip, which the runtime computes without vector instructions: it takes three times as long.
    const atLeast = this.node("Max", [value, this.#scalar(-maxStandardized)]);
    return this.node("Min", [atLeast, this.#scalar(maxStandardized)]);
  }

  gather(table: string, indices: string): string {
    return this.node("Gather", [table, indices]);
  }

  similarity(a: string, b: string): string {
    return this.node("Gemm", [a, b], [intAttribute("transB", 1)]);
  }

  column(x: string, column: number, h: number): string {
    const slice = this.node("Slice", [
      x,
      this.#integers([column]),
      this.#integers([column + 1]),
      this.#integers([1]),
    ]);
    return this.reshape(slice, h);
  }

  reshape(x: string, columns: number): string {
    return this.node("Reshape", [x, this.#integers([-1, columns])]);
  }

  maskedSoftmax(logits: string, mask: string): string {
    // A large negative number hides masked logits. The last product sets a row without any event to zeros.
    const penalty = this.node("Mul", [this.node("Sub", [mask, this.#scalar(1)]), this.#scalar(1e9)]);
    return this.node("Mul", [
      this.node("Softmax", [this.add(logits, penalty)], [intAttribute("axis", 1)]),
      mask,
    ]);
  }

  pool(weights: string, values: string): string {
    // [n, 1, h] times [n, h, a]; the graph reads n and h from the shape of the weights.
    const w = this.node("Unsqueeze", [weights, this.#integers([1])]);
    const n = this.node("Shape", [weights]);
    const shape = this.node("Concat", [n, this.#integers([-1])], [intAttribute("axis", 0)]);
    const v = this.node("Reshape", [values, shape]);
    return this.node("Squeeze", [this.node("MatMul", [w, v]), this.#integers([1])]);
  }

  concat(parts: string[]): string {
    return this.node("Concat", parts, [intAttribute("axis", 1)]);
  }

  /** Reshapes x to `dims`, where -1 stands for the remaining size, and returns the name `output`. */
  reshapeTo(x: string, dims: number[], output?: string): string {
    return this.node("Reshape", [x, this.#integers(dims)], [], output);
  }
}

const intAttribute = (name: string, value: number): AttributeProto =>
  create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
