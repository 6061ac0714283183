import { constantOf, equalSizes, type Size, sizeText } from "../size.ts";
import type { TensorInfo } from "../tensor.ts";
import type { NodeContext } from "./node-context.ts";

const isOne = (size: Size): boolean => constantOf(size) === 1;

/**
 * Returns the dimensions of the element by element combination of two tensors. Sizes must be equal for every number of
 * candidates, or one of them must be 1.
 */
export function broadcastDims(node: NodeContext, a: readonly Size[], b: readonly Size[]): Size[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? [1];
    const y = b[i - rank + b.length] ?? [1];
    if (isOne(x) || equalSizes(x, y)) return y;
    if (isOne(y)) return x;
    return node.refuse(
      `its inputs have the sizes ${sizeText(x)} and ${sizeText(y)}, which do not match for n candidates`,
    );
  });
}

/** Returns the dimensions of the combination of all inputs. */
export const broadcastInputs = (node: NodeContext): Size[] =>
  node.inputs.reduce<Size[]>((dims, _, i) => broadcastDims(node, dims, node.input(i).dims), []);

/**
 * Returns the values of the combination of small tensors, if they are known: of as many values as the largest has, or of
 * one. Otherwise undefined: the values are not followed.
 */
export function combineValues(
  tensors: readonly TensorInfo[],
  combine: (values: (Size | null)[]) => Size | null,
): (Size | null)[] | undefined {
  const lists = tensors.map(({ values }) => values);
  const count = lists.reduce((max, list) => Math.max(max, list?.length ?? 0), 0);
  const known = lists.filter((list) => list !== undefined && (list.length === count || list.length === 1));
  if (known.length < lists.length || tensors.some(({ dims }) => dims.length > 1)) return undefined;
  return Array.from({ length: count }, (_, i) =>
    combine(known.map((list) => list?.[list.length === 1 ? 0 : i] ?? null)),
  );
}
