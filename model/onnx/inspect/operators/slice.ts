import { addSizes, constantOf, constantSize, isAtMost, isBeyondExact, type Size } from "../size.ts";
import type { TensorInfo } from "../tensor.ts";
import { elementwise } from "./costs.ts";
import type { Inference, NodeContext } from "./node-context.ts";

/** Returns the first and the last index of an axis between which a slice keeps indices, as the runtime limits them. */
function limits(size: number, start: number, end: number, step: number): { first: number; last: number } {
  const position = (value: number, min: number, max: number): number =>
    Math.min(Math.max(value < 0 ? value + size : value, min), max);
  return step > 0
    ? { first: position(start, 0, size), last: position(end, 0, size) }
    : { first: position(start, 0, size - 1), last: position(end, -1, size - 1) };
}

/** Returns an end of a slice as a position on an axis whose size depends on n; null if it is not known for every n. */
function position(value: Size, size: Size): Size | null {
  const constant = constantOf(value);
  if (isBeyondExact(value)) return constant !== null && constant < 0 ? [] : size;
  const fromFront = constant !== null && constant < 0 ? addSizes(size, value) : value;
  if (fromFront === null) return null;
  if (isAtMost(fromFront, [])) return [];
  if (isAtMost(size, fromFront)) return size;
  return isAtMost([], fromFront) && isAtMost(fromFront, size) ? fromFront : null;
}

/** Returns the values of an input of a slice; a number beyond the exact range is the end of an axis. */
function bounds(node: NodeContext, i: number, what: string): Size[] {
  const { values } = node.input(i);
  if (!values)
    return node.refuse(`its ${what} are computed from data; they must be constant or computed from shapes`);
  return values.map(
    (value) =>
      value ??
      node.refuse(`its ${what} are computed from data; they must be constant or computed from shapes`),
  );
}

export function slice(node: NodeContext): Inference {
  const input = node.input(0);
  const [starts, ends] = [bounds(node, 1, "starts"), bounds(node, 2, "ends")];
  const given = node.optional(3) ? node.constants(3, "axes") : starts.map((_, i) => i);
  const axes = node.axes(given, input.dims.length);
  const steps = node.optional(4) ? node.constants(4, "steps") : starts.map(() => 1);
  if (starts.length !== axes.length || ends.length !== axes.length || steps.length !== axes.length)
    node.refuse("must have as many starts, ends and steps as axes");
  if (steps.includes(0)) node.refuse("has a step of 0");
  const dims = [...input.dims];
  axes.forEach((axis, i) => {
    dims[axis] = slicedSize(node, dims[axis], starts[i], ends[i], steps[i]);
  });
  return elementwise({ type: input.type, dims, ...slicedValues(input, starts, ends, steps) });
}

function slicedSize(node: NodeContext, size: Size, start: Size, end: Size, step: number): Size {
  const [length, from, to] = [size, start, end].map(constantOf);
  if (length !== null && from !== null && to !== null) {
    const { first, last } = limits(length, from, to, step);
    return constantSize(Math.max(0, Math.ceil((last - first) / step))) ?? [];
  }
  const first = position(start, size);
  const last = position(end, size);
  const kept = first && last && addSizes(last, first, -1);
  if (step === 1 && kept && isAtMost([], kept)) return kept;
  if (step === 1 && kept && isAtMost(kept, [])) return [];
  return node.refuse("keeps a number of rows that is not known for every number of candidates");
}

/** Returns the values of a shape that is cut. */
function slicedValues(
  { values, dims }: TensorInfo,
  [start]: readonly Size[],
  [end]: readonly Size[],
  [step]: readonly number[],
): Pick<TensorInfo, "values"> {
  const [from, to] = [start, end].map((size) => (size === undefined ? null : constantOf(size)));
  if (!values || dims.length !== 1) return {};
  if (from === null || to === null || step === undefined) return {};
  const kept: (Size | null)[] = [];
  const { first, last } = limits(values.length, from, to, step);
  for (let i = first; step > 0 ? i < last : i > last; i += step) kept.push(values[i]);
  return { values: kept };
}
