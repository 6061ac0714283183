import { equalSizes, type Size, sizeText } from "../size.ts";
import { maxElements, type TensorInfo } from "../tensor.ts";
import { broadcastDims } from "./broadcast.ts";
import { elementwise, functionOf } from "./costs.ts";
import type { Inference, NodeContext, Operator } from "./node-context.ts";

/** Refuses a product whose inner sizes differ for some number of candidates. */
function checkInner(node: NodeContext, a: Size, b: Size): void {
  if (!equalSizes(a, b))
    node.refuse(
      `multiplies matrices whose inner sizes are ${sizeText(a)} and ${sizeText(b)}; they must be equal`,
    );
}

function matMul(node: NodeContext): Inference {
  const [a, b] = [node.input(0), node.input(1)];
  if (a.dims.length === 0 || b.dims.length === 0) node.refuse("multiplies a single number; use Mul");
  // A vector is a row on the left and a column on the right.
  const left = a.dims.length === 1 ? [[1], ...a.dims] : a.dims;
  const right = b.dims.length === 1 ? [...b.dims, [1]] : b.dims;
  const [rows, inner] = left.slice(-2);
  const [innerOfRight, columns] = right.slice(-2);
  checkInner(node, inner, innerOfRight);
  const batch = broadcastDims(node, left.slice(0, -2), right.slice(0, -2));
  const dims = [...batch, ...(a.dims.length === 1 ? [] : [rows]), ...(b.dims.length === 1 ? [] : [columns])];
  return {
    outputs: [{ type: a.type, dims }],
    multiplyAdds: maxElements([...batch, rows, inner, columns]),
  };
}

function gemm(node: NodeContext): Inference {
  const [a, b, c] = [node.input(0), node.input(1), node.optional(2)];
  if (a.dims.length !== 2 || b.dims.length !== 2) node.refuse("its first two inputs must be matrices");
  const [rows, inner] = node.flag("transA", false) ? [a.dims[1], a.dims[0]] : a.dims;
  const [innerOfB, columns] = node.flag("transB", false) ? [b.dims[1], b.dims[0]] : b.dims;
  checkInner(node, inner, innerOfB);
  const dims = [rows, columns];
  if (c && !broadcastDims(node, dims, c.dims).every((size, i) => equalSizes(size, dims[i])))
    node.refuse("its third input must have the size of its output, or be extended to it");
  return { outputs: [{ type: a.type, dims }], multiplyAdds: maxElements([rows, inner, columns]) };
}

/** An operator that keeps the dimensions of its first input and computes exponential functions. */
const softmax: Operator = (node) => {
  const { type, dims } = node.input(0);
  node.axis(node.int("axis", -1), dims.length);
  return functionOf({ type, dims });
};

function batchNormalization(node: NodeContext): Inference {
  if (node.flag("training_mode", false)) node.refuse("is in training mode; export the model for evaluation");
  const { type, dims } = node.input(0);
  return elementwise({ type, dims });
}

function layerNormalization(node: NodeContext): Inference {
  const { type, dims } = node.input(0);
  const axis = node.axis(node.int("axis", -1), dims.length);
  const statistics: TensorInfo = {
    type: "float32",
    dims: dims.map((size, i) => (i < axis ? size : [1])),
  };
  return functionOf({ type, dims }, statistics, statistics);
}

/** Operators that multiply matrices or normalize their rows. */
export const matrixOperators: Readonly<Record<string, Operator>> = {
  MatMul: matMul,
  Gemm: gemm,
  Softmax: softmax,
  LogSoftmax: softmax,
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
};
