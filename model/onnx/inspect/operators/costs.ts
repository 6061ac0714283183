import { maxElements, type TensorInfo } from "../tensor.ts";
import type { Inference } from "./node-context.ts";

/** Cost of one element that is copied, added or compared, in multiply-adds of a product of matrices. */
const elementCost = 4;
/** Cost of one element of an exponential function, a root, a sort and the like. */
const functionCost = 16;

/** Returns the inference of an operator whose cost is that of simple arithmetic on its outputs. */
export const elementwise = (...outputs: TensorInfo[]): Inference => ({
  outputs,
  multiplyAdds: elementCost * outputs.reduce((sum, { dims }) => sum + maxElements(dims), 0),
});

/** Returns the inference of an operator that computes a function for each element of its outputs. */
export const functionOf = (...outputs: TensorInfo[]): Inference => ({
  outputs,
  multiplyAdds: functionCost * outputs.reduce((sum, { dims }) => sum + maxElements(dims), 0),
});

/** Returns the inference of an operator that reads each element of `input` once. */
export const readOnce = (input: TensorInfo, ...outputs: TensorInfo[]): Inference => ({
  outputs,
  multiplyAdds: elementCost * maxElements(input.dims),
});
