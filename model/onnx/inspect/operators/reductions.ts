import type { Size } from "../size.ts";
import type { TensorInfo } from "../tensor.ts";
import { functionOf, readOnce } from "./costs.ts";
import type { Inference, NodeContext, Operator } from "./node-context.ts";

/** Returns the axes of a reduction: an attribute, or since operator set 13 or 18 an input. */
function axesOf(node: NodeContext, rank: number): number[] {
  const given = node.ints("axes") ?? (node.optional(1) ? node.constants(1, "axes") : []);
  if (given.length > 0) return node.axes(given, rank);
  return node.flag("noop_with_empty_axes", false) ? [] : Array.from({ length: rank }, (_, i) => i);
}

const withoutAxes = (dims: readonly Size[], axes: readonly number[], keep: boolean): Size[] =>
  dims.flatMap((size, i) => (axes.includes(i) ? (keep ? [[1]] : []) : [size]));

function reduce(node: NodeContext): Inference {
  const input = node.input(0);
  const axes = axesOf(node, input.dims.length);
  const dims = withoutAxes(input.dims, axes, node.flag("keepdims", true));
  return readOnce(input, { type: input.type, dims });
}

function argument(node: NodeContext): Inference {
  const input = node.input(0);
  const axis = node.axis(node.int("axis", 0), input.dims.length);
  const dims = withoutAxes(input.dims, [axis], node.flag("keepdims", true));
  return readOnce(input, { type: "int64", dims });
}

function topK(node: NodeContext): Inference {
  const input = node.input(0);
  const axis = node.axis(node.int("axis", -1), input.dims.length);
  const count = node.size(1, "number of results");
  const dims = input.dims.map((size, i) => (i === axis ? count : size));
  const outputs: TensorInfo[] = [
    { type: input.type, dims },
    { type: "int64", dims },
  ];
  return { outputs, multiplyAdds: functionOf(input, ...outputs).multiplyAdds };
}

const names = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"];

/** Operators that reduce an axis. */
export const reductionOperators: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries(names.map((name) => [`Reduce${name}`, reduce])),
  ArgMax: argument,
  ArgMin: argument,
  TopK: topK,
  CumSum: (node) => {
    const { type, dims } = node.input(0);
    return readOnce(node.input(0), { type, dims });
  },
};
