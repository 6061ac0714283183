import { constantOf, type Size } from "../size.ts";
import { elementwise } from "./costs.ts";
import type { Inference, NodeContext, Operator } from "./node-context.ts";

function gather(node: NodeContext): Inference {
  const [data, indices] = [node.input(0), node.input(1)];
  const axis = node.axis(node.int("axis", 0), data.dims.length);
  const dims = [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)];
  const { values } = data;
  // The values of a shape that is picked apart.
  const picked =
    values && data.dims.length === 1
      ? indices.values?.map((index): Size | null => {
          const at = index && constantOf(index);
          return at === null ? null : (values.at(at) ?? null);
        })
      : undefined;
  return elementwise({ type: data.type, dims, ...(picked ? { values: picked } : {}) });
}

function gatherElements(node: NodeContext): Inference {
  const [data, indices] = [node.input(0), node.input(1)];
  node.axis(node.int("axis", 0), data.dims.length);
  return elementwise({ type: data.type, dims: indices.dims });
}

function gatherND(node: NodeContext): Inference {
  const [data, indices] = [node.input(0), node.input(1)];
  const batch = node.int("batch_dims", 0);
  const length = indices.dims.length === 0 ? null : constantOf(indices.dims[indices.dims.length - 1]);
  if (length === null || !(batch >= 0) || batch + length > data.dims.length)
    return node.refuse("its indices must have a constant last size, at most as many as the data have axes");
  return elementwise({
    type: data.type,
    dims: [...indices.dims.slice(0, -1), ...data.dims.slice(batch + length)],
  });
}

function oneHot(node: NodeContext): Inference {
  const { dims } = node.input(0);
  const depth = node.size(1, "depth");
  const axis = node.axis(node.int("axis", -1), dims.length + 1);
  return elementwise({
    type: node.input(2).type,
    dims: [...dims.slice(0, axis), depth, ...dims.slice(axis)],
  });
}

/** Operators that look up elements by their index. */
export const indexingOperators: Readonly<Record<string, Operator>> = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  OneHot: oneHot,
  Trilu: (node) => {
    const { type, dims } = node.input(0);
    return elementwise({ type, dims });
  },
};
