import { AttributeProto_AttributeType } from "../../generated/onnx_pb.js";
import {
  addSizes,
  compareSizes,
  constantOf,
  constantSize,
  divideSizes,
  isDimension,
  type Size,
} from "../size.ts";
import { constantTensor, maxFollowedValues, type TensorInfo } from "../tensor.ts";
import { elementwise } from "./costs.ts";
import type { Inference, NodeContext, Operator } from "./node-context.ts";

function constant(node: NodeContext): Inference {
  // The runtime takes the first attribute, whatever its name is.
  if (node.attributeCount !== 1) node.refuse(`must have one attribute; it has ${node.attributeCount}`);
  const tensor = node.tensor("value");
  if (tensor) return { outputs: [constantTensor(tensor, "Its value")], multiplyAdds: 0 };
  const integers = node.has("value_int") ? [node.int("value_int", 0)] : node.ints("value_ints");
  if (integers) {
    const dims = node.has("value_int") ? [] : [constantSize(integers.length) ?? []];
    const values = integers.length > maxFollowedValues ? undefined : integers.map(constantSize);
    return elementwise({ type: "int64", dims, ...(values ? { values } : {}) });
  }
  if (node.has("value_float")) return elementwise({ type: "float32", dims: [] });
  const floats = node.floatCount("value_floats");
  if (floats !== null) return elementwise({ type: "float32", dims: [constantSize(floats) ?? []] });
  return node.refuse("must have the attribute value, value_int, value_ints, value_float or value_floats");
}

/** Returns `value` for each element of a small tensor of whole numbers, to be followed. */
export function repeatedValues(
  dims: readonly Size[],
  value: Size | null | undefined,
): (Size | null)[] | undefined {
  const count = dims.reduce<number | null>((product, dim) => {
    const size = constantOf(dim);
    return product === null || size === null ? null : product * size;
  }, 1);
  return count === null || count < 0 || count > maxFollowedValues || value === undefined
    ? undefined
    : new Array<Size | null>(count).fill(value);
}

function constantOfShape(node: NodeContext): Inference {
  const dims = node.sizes(0, "shape");
  const tensor = node.tensor("value");
  const element: TensorInfo = tensor ? constantTensor(tensor, "Its value") : { type: "float32", dims: [] };
  const values = element.values && repeatedValues(dims, element.values[0]);
  return elementwise({ type: element.type, dims, ...(values ? { values } : {}) });
}

function range(node: NodeContext): Inference {
  const [start, limit, delta] = ["start", "limit", "step"].map((what, i) => node.size(i, what));
  const span = addSizes(limit, start, -1);
  const [from, to, step] = [start, limit, delta].map(constantOf);
  const count =
    from !== null && to !== null && step !== null && step !== 0
      ? constantSize(Math.max(0, Math.ceil((to - from) / step)))
      : span && compareSizes(span, []) !== -1
        ? divideSizes(span, delta)
        : null;
  if (count === null || !isDimension(count))
    return node.refuse("its number of values is not known for every number of candidates");
  const size = constantOf(count);
  const values =
    size === null || size > maxFollowedValues || from === null || step === null
      ? undefined
      : Array.from({ length: size }, (_, i) => constantSize(from + i * step));
  return elementwise({ type: node.input(0).type, dims: [count], ...(values ? { values } : {}) });
}

/** Operators that make constants. */
export const constantOperators: Readonly<Record<string, Operator>> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
};

/** Types of attributes that operators may have. */
export const attributeTypes: ReadonlySet<AttributeProto_AttributeType> = new Set([
  AttributeProto_AttributeType.FLOAT,
  AttributeProto_AttributeType.INT,
  AttributeProto_AttributeType.STRING,
  AttributeProto_AttributeType.TENSOR,
  AttributeProto_AttributeType.FLOATS,
  AttributeProto_AttributeType.INTS,
]);
