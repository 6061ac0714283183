import {
  addSizes,
  compareSizes,
  constantOf,
  constantSize,
  divideSizes,
  equalSizes,
  multiplySizes,
  type Size,
  sizeText,
} from "../size.ts";
import { elementsOf, maxFollowedValues, type TensorInfo } from "../tensor.ts";
import { broadcastDims } from "./broadcast.ts";
import { repeatedValues } from "./constants.ts";
import { elementwise } from "./costs.ts";
import type { Inference, NodeContext, Operator } from "./node-context.ts";
import { slice } from "./slice.ts";

/** Returns the product of sizes. Refuses one that is too large. */
const productOf = (node: NodeContext, sizes: readonly Size[]): Size =>
  elementsOf(sizes) ?? node.refuse("the number of its elements is too large");

/** Returns the inference of an operator that gives the elements of its input other dimensions. */
const sameElements = ({ type, values }: TensorInfo, dims: Size[]): Inference =>
  elementwise({ type, dims, ...(values ? { values } : {}) });

function shape(node: NodeContext): Inference {
  const { dims } = node.input(0);
  const start = node.int("start", 0);
  const end = node.int("end", dims.length);
  const values = dims.slice(start, end);
  return elementwise({ type: "int64", dims: [constantSize(values.length) ?? []], values });
}

function reshape(node: NodeContext): Inference {
  const input = node.input(0);
  const wanted = node.sizes(1, "shape");
  const allowZero = node.flag("allowzero", false);
  let open = -1;
  const dims = wanted.map((size, i): Size => {
    const constant = constantOf(size);
    if (constant === -1) {
      if (open >= 0) node.refuse("its shape leaves more than one size open");
      open = i;
      return [1];
    }
    if (constant === 0 && !allowZero)
      return input.dims[i] ?? node.refuse("its shape copies a size that its input does not have");
    return size;
  });
  const elements = productOf(node, input.dims);
  const known = productOf(node, dims);
  if (open >= 0)
    dims[open] =
      divideSizes(elements, known) ??
      node.refuse(
        `its shape does not divide ${sizeText(elements)} elements for every number n of candidates`,
      );
  else if (!equalSizes(elements, known))
    node.refuse(`its shape holds ${sizeText(known)} elements, but its input has ${sizeText(elements)}`);
  return sameElements(input, dims);
}

function flatten(node: NodeContext): Inference {
  const input = node.input(0);
  const rank = input.dims.length;
  const given = node.int("axis", 1);
  const axis = given < 0 ? given + rank : given;
  if (!(axis >= 0 && axis <= rank)) node.refuse(`its axis ${given} must be from ${-rank} to ${rank}`);
  return sameElements(input, [
    productOf(node, input.dims.slice(0, axis)),
    productOf(node, input.dims.slice(axis)),
  ]);
}

function squeeze(node: NodeContext): Inference {
  const input = node.input(0);
  const named = node.optional(1) ? node.constants(1, "axes") : [];
  // To the runtime, an empty list of axes is none.
  const given = named.length > 0 ? named : null;
  // Without axes, sizes that depend on the number of candidates would vanish for one candidate.
  if (!given && input.dims.some((size) => constantOf(size) === null))
    node.refuse("must name its axes, since a size depends on the number of candidates");
  const axes = given
    ? node.axes(given, input.dims.length)
    : input.dims.flatMap((size, i) => (constantOf(size) === 1 ? [i] : []));
  for (const axis of axes)
    if (constantOf(input.dims[axis]) !== 1)
      node.refuse(`removes the axis ${axis}, whose size is ${sizeText(input.dims[axis])} instead of 1`);
  return sameElements(
    input,
    input.dims.filter((_, i) => !axes.includes(i)),
  );
}

function unsqueeze(node: NodeContext): Inference {
  const input = node.input(0);
  const given = node.constants(1, "axes");
  const rank = input.dims.length + given.length;
  const axes = node.axes(given, rank);
  const rest = [...input.dims];
  const dims = Array.from({ length: rank }, (_, i): Size => (axes.includes(i) ? [1] : (rest.shift() ?? [1])));
  return sameElements(input, dims);
}

function transpose(node: NodeContext): Inference {
  const { type, dims } = node.input(0);
  const order = node.ints("perm") ?? dims.map((_, i) => dims.length - 1 - i);
  if (order.length !== dims.length) node.refuse("its attribute `perm` must name each axis once");
  return elementwise({ type, dims: node.axes(order, dims.length).map((axis) => dims[axis]) });
}

function concat(node: NodeContext): Inference {
  const inputs = node.inputs.map((_, i) => node.input(i));
  const [first] = inputs;
  if (!first) return node.refuse("has no input");
  const axis = node.axis(node.int("axis", 0), first.dims.length);
  const dims = first.dims.map((size, i) =>
    inputs.slice(1).reduce<Size>((sum, { dims: other }) => {
      if (other.length !== first.dims.length) node.refuse("its inputs have different numbers of axes");
      if (i === axis) return addSizes(sum, other[i]) ?? node.refuse("its output is too large");
      return equalSizes(sum, other[i])
        ? sum
        : node.refuse(`its inputs have the sizes ${sizeText(sum)} and ${sizeText(other[i])} on axis ${i}`);
    }, size),
  );
  const values =
    first.dims.length === 1 && inputs.every((each) => each.values)
      ? inputs.flatMap((each) => each.values ?? [])
      : undefined;
  const followed = values && values.length <= maxFollowedValues ? { values } : {};
  return elementwise({ type: first.type, dims, ...followed });
}

function split(node: NodeContext): Inference {
  const { type, dims } = node.input(0);
  const axis = node.axis(node.int("axis", 0), dims.length);
  const parts = node.optional(1)
    ? node.sizes(1, "sizes")
    : equalParts(node, dims[axis], node.int("num_outputs", node.outputCount));
  const total = parts.reduce<Size | null>((sum, part) => sum && addSizes(sum, part), []);
  if (!total || !equalSizes(total, dims[axis]))
    node.refuse(`its parts must add up to ${sizeText(dims[axis])} on axis ${axis}`);
  return elementwise(
    ...parts.map((part) => ({ type, dims: dims.map((size, i) => (i === axis ? part : size)) })),
  );
}

/** Returns the sizes of parts that are equal; of a constant size, the last part may be smaller. */
function equalParts(node: NodeContext, size: Size, count: number): Size[] {
  if (!(count >= 1) || count !== node.outputCount) node.refuse("must have as many outputs as parts");
  const constant = constantOf(size);
  const part = constant === null ? divideSizes(size, [count]) : constantSize(Math.ceil(constant / count));
  if (!part) return node.refuse(`cannot split ${sizeText(size)} into ${count} equal parts`);
  const rest = addSizes(size, multiplySizes(part, [count - 1]) ?? [], -1);
  return rest ? [...new Array<Size>(count - 1).fill(part), rest] : node.refuse("its parts are too large");
}

function expand(node: NodeContext): Inference {
  const { type, dims, values } = node.input(0);
  const wanted = broadcastDims(node, dims, node.sizes(1, "shape"));
  const repeated = values?.length === 1 ? repeatedValues(wanted, values[0]) : undefined;
  return elementwise({ type, dims: wanted, ...(repeated ? { values: repeated } : {}) });
}

function tile(node: NodeContext): Inference {
  const { type, dims } = node.input(0);
  const repeats = node.sizes(1, "repeats");
  if (repeats.length !== dims.length) node.refuse("must repeat each axis");
  return elementwise({
    type,
    dims: dims.map((size, i) => multiplySizes(size, repeats[i]) ?? node.refuse("its output is too large")),
  });
}

function pad(node: NodeContext): Inference {
  const { type, dims } = node.input(0);
  const pads = node.sizes(1, "pads");
  const axes = node.optional(3) ? node.axes(node.constants(3, "axes"), dims.length) : dims.map((_, i) => i);
  if (pads.length !== 2 * axes.length) node.refuse("must have two pads for each axis");
  const padded = [...dims];
  axes.forEach((axis, i) => {
    for (const each of [pads[i], pads[i + axes.length]]) {
      if (compareSizes(each, []) === -1) node.refuse("cuts its input by a negative pad; use Slice");
      padded[axis] = addSizes(padded[axis], each) ?? node.refuse("its output is too large");
    }
  });
  return elementwise({ type, dims: padded });
}

/** Operators that change the dimensions of a tensor. */
export const reshapingOperators: Readonly<Record<string, Operator>> = {
  Shape: shape,
  Size: (node) => elementwise({ type: "int64", dims: [], values: [productOf(node, node.input(0).dims)] }),
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Expand: expand,
  Tile: tile,
  Pad: pad,
};
