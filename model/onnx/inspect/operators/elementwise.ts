import {
  addSizes,
  compareSizes,
  constantOf,
  constantSize,
  divideSizes,
  isBeyondExact,
  isWithin,
  multiplySizes,
  type Size,
} from "../size.ts";
import { type ElementType, elementTypeOf, type TensorInfo } from "../tensor.ts";
import { broadcastDims, broadcastInputs, combineValues } from "./broadcast.ts";
import { elementwise, functionOf } from "./costs.ts";
import type { Inference, NodeContext, Operator } from "./node-context.ts";

/** A whole number from whole numbers; null if it is not known. */
type Arithmetic = (a: Size, b: Size) => Size | null;

const truth = (value: boolean): Size => (value ? [1] : []);

const fitsInt32 = (size: Size): boolean => isWithin(size, 2 ** 31);

/** Returns a value if its type can hold it: the runtime's arithmetic wraps around, which is not followed. */
const held = (type: ElementType, size: Size | null): Size | null =>
  size === null || (type === "int32" && !fitsInt32(size)) ? null : size;

/** An operator with the inputs' type; whole numbers are followed by `arithmetic`. */
const arithmetic =
  (follow: Arithmetic | null, infer: (...outputs: TensorInfo[]) => Inference = elementwise): Operator =>
  (node) => {
    const { type } = node.input(0);
    const dims = broadcastInputs(node);
    const inputs = node.inputs.map((_, i) => node.input(i));
    const values =
      follow &&
      combineValues(inputs, (numbers) =>
        numbers.reduce((a, b) => (a === null || b === null ? null : held(type, follow(a, b)))),
      );
    return infer({ type, dims, ...(values ? { values } : {}) });
  };

/** An operator on two tensors whose result is true or false. */
const comparison =
  (decide: ((order: number) => boolean) | null): Operator =>
  (node) => {
    const inputs = [node.input(0), node.input(1)];
    const values =
      decide &&
      combineValues(inputs, ([a, b]) => {
        const order = a === null || b === null ? null : compareSizes(a, b);
        return order === null ? null : truth(decide(order));
      });
    return elementwise({ type: "bool", dims: broadcastInputs(node), ...(values ? { values } : {}) });
  };

/** An operator on one tensor that keeps its type and dimensions. */
const unary =
  (infer: (...outputs: TensorInfo[]) => Inference, follow?: (value: Size) => Size | null): Operator =>
  (node) => {
    const { type, dims, values } = node.input(0);
    const followed = follow && values?.map((value) => value && held(type, follow(value)));
    return infer({ type, dims, ...(followed ? { values: followed } : {}) });
  };

/** Divides as the runtime does, if the result is the same for every number of candidates. */
function divide(a: Size, b: Size): Size | null {
  const x = constantOf(a);
  const y = constantOf(b);
  if (x === null || y === null || y === 0 || isBeyondExact(a) || isBeyondExact(b)) return divideSizes(a, b);
  return constantSize(Math.trunc(x / y));
}

function cast(node: NodeContext): Inference {
  const { dims, type: from, values } = node.input(0);
  const type = elementTypeOf(node.int("to", 0), "Its output");
  const isWhole = type === "int32" || type === "int64";
  const followed =
    isWhole && from !== "float32" && from !== "float64"
      ? values?.map((value) => held(type, value))
      : undefined;
  return elementwise({ type, dims, ...(followed ? { values: followed } : {}) });
}

function where(node: NodeContext): Inference {
  const [condition, a, b] = [node.input(0), node.input(1), node.input(2)];
  const values = combineValues([condition, a, b], ([chosen, x, y]) => {
    const isTrue = chosen === null ? null : constantOf(chosen);
    return isTrue === null ? null : isTrue !== 0 ? x : y;
  });
  const dims = broadcastDims(node, broadcastDims(node, condition.dims, a.dims), b.dims);
  return elementwise({ type: a.type, dims, ...(values ? { values } : {}) });
}

const simpleUnary = [
  "Abs",
  "Ceil",
  "Clip",
  "Floor",
  "HardSigmoid",
  "HardSwish",
  "LeakyRelu",
  "Reciprocal",
  "Relu",
];
const functions = [
  ...["Celu", "Cos", "Elu", "Erf", "Exp", "Gelu", "Log", "Mish", "Selu", "Sigmoid", "Sin", "Softplus"],
  ...["Softsign", "Sqrt", "Tanh"],
];

/** Operators that combine tensors element by element. */
export const elementwiseOperators: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries(simpleUnary.map((name) => [name, unary(elementwise)])),
  ...Object.fromEntries(["Round", "Sign", "ThresholdedRelu"].map((name) => [name, unary(elementwise)])),
  ...Object.fromEntries(functions.map((name) => [name, unary(functionOf)])),
  Identity: unary(elementwise, (value) => value),
  Neg: unary(elementwise, (value) => addSizes([], value, -1)),
  Not: unary(elementwise),
  IsNaN: (node) => elementwise({ type: "bool", dims: node.input(0).dims }),
  Cast: cast,
  Add: arithmetic(addSizes),
  Sub: arithmetic((a, b) => addSizes(a, b, -1)),
  Mul: arithmetic(multiplySizes),
  Div: arithmetic(divide),
  Pow: arithmetic(null, functionOf),
  Mod: arithmetic(null),
  PRelu: arithmetic(null),
  Min: arithmetic((a, b) => {
    const order = compareSizes(a, b);
    return order === null ? null : order < 0 ? a : b;
  }),
  Max: arithmetic((a, b) => {
    const order = compareSizes(a, b);
    return order === null ? null : order > 0 ? a : b;
  }),
  Sum: arithmetic(null),
  Mean: arithmetic(null),
  Equal: comparison((order) => order === 0),
  Greater: comparison((order) => order > 0),
  GreaterOrEqual: comparison((order) => order >= 0),
  Less: comparison((order) => order < 0),
  LessOrEqual: comparison((order) => order <= 0),
  And: comparison(null),
  Or: comparison(null),
  Xor: comparison(null),
  Where: where,
};
