import {
  type AttributeProto,
  AttributeProto_AttributeType,
  type NodeProto,
  type TensorProto,
} from "../../generated/onnx_pb.js";
import { modelLimits } from "../limits.ts";
import { refuseModel } from "../refusal.ts";
import { constantOf, type Size } from "../size.ts";
import type { TensorInfo } from "../tensor.ts";

/** What an operator computes: its outputs, and its cost for the longest list in multiply-adds. */
export interface Inference {
  outputs: TensorInfo[];
  multiplyAdds: number;
}

/** Infers what a node computes from its inputs, or refuses it. */
export type Operator = (node: NodeContext) => Inference;

/** Returns a name in quotes, shortened. */
export const quoted = (name: string): string =>
  JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);

/** Returns how an error names a node: its place in the file, its operator and its name or output. */
export const nodeLabel = ({ opType, name, output }: NodeProto, index: number): string =>
  `Operator ${index + 1}, ${opType.slice(0, 60)} ${quoted(name || output[0] || "")}`;

/** A node with what is known of its inputs. */
export class NodeContext {
  readonly opset: number;
  /** An input that is left out is null. */
  readonly inputs: readonly (TensorInfo | null)[];
  readonly outputCount: number;
  readonly #label: string;
  readonly #attributes = new Map<string, AttributeProto>();

  constructor(node: NodeProto, index: number, inputs: readonly (TensorInfo | null)[], opset: number) {
    this.opset = opset;
    this.inputs = inputs;
    this.outputCount = node.output.length;
    this.#label = nodeLabel(node, index);
    for (const attribute of node.attribute) {
      if (this.#attributes.has(attribute.name))
        this.refuse(`has the attribute ${quoted(attribute.name)} twice`);
      this.#attributes.set(attribute.name, attribute);
    }
  }

  /** Refuses the file because of this node. */
  refuse(detail: string): never {
    return refuseModel(`${this.#label}: ${detail}.`);
  }

  /** Number of attributes. */
  get attributeCount(): number {
    return this.#attributes.size;
  }

  has(name: string): boolean {
    return this.#attributes.has(name);
  }

  /** Returns an input that must be there. */
  input(i: number): TensorInfo {
    return this.inputs[i] ?? this.refuse(`lacks its input ${i + 1}`);
  }

  /** Returns an input, or null if it is left out. */
  optional(i: number): TensorInfo | null {
    return this.inputs[i] ?? null;
  }

  #attribute(name: string, type: AttributeProto_AttributeType): AttributeProto | null {
    const attribute = this.#attributes.get(name);
    if (!attribute) return null;
    if (attribute.type !== type)
      this.refuse(
        `its attribute ${quoted(name)} must be of type ${AttributeProto_AttributeType[type]}; it is ${AttributeProto_AttributeType[attribute.type] ?? attribute.type}`,
      );
    return attribute;
  }

  #number(name: string, value: bigint): number {
    const number = Number(value);
    if (!Number.isSafeInteger(number))
      this.refuse(`its attribute ${quoted(name)} is ${value}, which is too large`);
    return number;
  }

  /** Returns the value of an attribute, or of its default. */
  int(name: string, fallback: number): number {
    const attribute = this.#attribute(name, AttributeProto_AttributeType.INT);
    return attribute ? this.#number(name, attribute.i) : fallback;
  }

  /** Returns an attribute that is on (1) or off (0). Refuses other numbers, which operators read differently. */
  flag(name: string, fallback: boolean): boolean {
    const value = this.int(name, fallback ? 1 : 0);
    if (value !== 0 && value !== 1)
      this.refuse(`its attribute ${quoted(name)} is ${value}; it must be 0 or 1`);
    return value === 1;
  }

  /** Returns the values of an attribute; null if it is left out. */
  ints(name: string): number[] | null {
    const attribute = this.#attribute(name, AttributeProto_AttributeType.INTS);
    return attribute ? attribute.ints.map((value) => this.#number(name, value)) : null;
  }

  /** Returns the number of values of an attribute of floats; null if it is left out. */
  floatCount(name: string): number | null {
    return this.#attribute(name, AttributeProto_AttributeType.FLOATS)?.floats.length ?? null;
  }

  tensor(name: string): TensorProto | null {
    const attribute = this.#attribute(name, AttributeProto_AttributeType.TENSOR);
    return attribute ? (attribute.t ?? this.refuse(`its attribute ${quoted(name)} has no tensor`)) : null;
  }

  /** Returns the values of an input that is a shape or the like. Refuses values that come from data. */
  sizes(i: number, what: string): Size[] {
    const { values, dims } = this.input(i);
    if (!values || dims.length > 1)
      return this.refuse(
        `its ${what} is computed from data or too long; it must be constant, or computed from shapes`,
      );
    return values.map(
      (value) =>
        value ??
        this.refuse(
          `its ${what} is computed from data; it must be constant, or computed from shapes by Shape, Gather, Concat, Add, Sub, Mul and exact Div`,
        ),
    );
  }

  /** Returns the value of an input that is a single number. Refuses a value that comes from data. */
  size(i: number, what: string): Size {
    const [size, ...more] = this.sizes(i, what);
    return size !== undefined && more.length === 0
      ? size
      : this.refuse(`its ${what} must be a single number`);
  }

  /** Returns the values of an input that must not depend on the number of candidates either. */
  constants(i: number, what: string): number[] {
    return this.sizes(i, what).map(
      (size) => constantOf(size) ?? this.refuse(`its ${what} depends on the number of candidates`),
    );
  }

  /** Returns an axis of a tensor with `rank` dimensions, counted from the front. */
  axis(value: number, rank: number): number {
    const axis = value < 0 ? value + rank : value;
    if (!(axis >= 0 && axis < rank)) this.refuse(`its axis ${value} must be from ${-rank} to ${rank - 1}`);
    return axis;
  }

  /** Returns axes that must be different. */
  axes(values: readonly number[], rank: number): number[] {
    const axes = values.map((value) => this.axis(value, rank));
    if (new Set(axes).size < axes.length) this.refuse(`its axes ${values.join(", ")} repeat an axis`);
    if (rank > modelLimits.rank)
      this.refuse(`has ${rank} dimensions; at most ${modelLimits.rank} are supported`);
    return axes;
  }
}
