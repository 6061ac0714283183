import { create } from "@bufbuild/protobuf";
import type { Ops } from "../network/ops.ts";
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

/** Interprets the network as nodes of an ONNX graph; a tensor is the name of a value. */
export class GraphBuilder implements Ops<string> {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #parameters: Parameters;
  readonly #made = new Set<string>();
  #count = 0;

  constructor(parameters: Parameters) {
    this.#parameters = parameters;
  }

  /** Adds a node and names its output. */
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

  /** A constant tensor, made once for each name. */
  #constant(name: string, dims: number[], values: Float32Array | BigInt64Array): string {
    if (!this.#made.has(name)) {
      this.#made.add(name);
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

  /** A shape or a list of axes. */
  #longs(values: number[]): string {
    return this.#constant(`i_${values.join("_")}`, [values.length], BigInt64Array.from(values.map(BigInt)));
  }

  #scalar(value: number): string {
    return this.#constant(`f_${value}`, [], Float32Array.of(value));
  }

  parameter(name: string): string {
    const parameter = this.#parameters.get(name);
    if (!parameter) throw new Error(`no parameter is named ${name}`);
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
    return this.node("Clip", [value, this.#scalar(-5), this.#scalar(5)]);
  }

  gather(table: string, indices: string): string {
    return this.node("Gather", [table, indices]);
  }

  similarity(a: string, b: string): string {
    return this.node("Gemm", [a, b], [intAttribute("transB", 1)]);
  }

  column(x: string, column: number, h: number): string {
    const slice = this.node("Slice", [x, this.#longs([column]), this.#longs([column + 1]), this.#longs([1])]);
    return this.fold(slice, h);
  }

  fold(x: string, columns: number): string {
    return this.node("Reshape", [x, this.#longs([-1, columns])]);
  }

  maskedSoftmax(logits: string, mask: string): string {
    // Masked logits are pushed far down; a row without any event is all zeros after the last product.
    const far = this.node("Mul", [this.node("Sub", [mask, this.#scalar(1)]), this.#scalar(1e9)]);
    return this.node("Mul", [this.node("Softmax", [this.add(logits, far)], [intAttribute("axis", 1)]), mask]);
  }

  pool(weights: string, values: string): string {
    // [n, 1, h] times [n, h, a], with h and n read from the weights' own shape.
    const w = this.node("Unsqueeze", [weights, this.#longs([1])]);
    const n = this.node("Shape", [weights]);
    const shape = this.node("Concat", [n, this.#longs([-1])], [intAttribute("axis", 0)]);
    const v = this.node("Reshape", [values, shape]);
    return this.node("Squeeze", [this.node("MatMul", [w, v]), this.#longs([1])]);
  }

  concat(parts: string[]): string {
    return this.node("Concat", parts, [intAttribute("axis", 1)]);
  }

  /** Reshapes to `dims` under a given name; -1 is the rest. */
  reshape(x: string, dims: number[], output?: string): string {
    return this.node("Reshape", [x, this.#longs(dims)], [], output);
  }
}

const intAttribute = (name: string, value: number): AttributeProto =>
  create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
