import { type TensorProto, TensorProto_DataLocation, TensorProto_DataType } from "../generated/onnx_pb.js";
import { grouped, maxCandidatesPerRun, modelLimits } from "./limits.ts";
import { refuseModel } from "./refusal.ts";
import { constantSize, literalSize, multiplySizes, type Size, sizeAt } from "./size.ts";

/** Types of elements that a model may use. */
export type ElementType = "float32" | "float64" | "int32" | "int64" | "bool";

export const elementTypes: Partial<Record<number, ElementType>> = {
  [TensorProto_DataType.FLOAT]: "float32",
  [TensorProto_DataType.DOUBLE]: "float64",
  [TensorProto_DataType.INT32]: "int32",
  [TensorProto_DataType.INT64]: "int64",
  [TensorProto_DataType.BOOL]: "bool",
};
const allowedTypes = Object.values(elementTypes).join(", ");
const elementBytes: Record<ElementType, number> = { float32: 4, float64: 8, int32: 4, int64: 8, bool: 1 };

/** Tensors with more whole numbers than this are data, not shapes: their values are not followed. */
export const maxFollowedValues = 64;

/** What is known of a tensor before a run. */
export interface TensorInfo {
  type: ElementType;
  dims: readonly Size[];
  /** Values of a small tensor of whole numbers or booleans, which may be a shape; null for a value that is data. */
  values?: readonly (Size | null)[];
}

/** Returns the type for a number of ONNX. Refuses text, complex numbers and others. */
export const elementTypeOf = (type: number, what: string): ElementType =>
  elementTypes[type] ??
  refuseModel(
    `${what} has elements of type ${TensorProto_DataType[type] ?? type}; the types ${allowedTypes} are supported.`,
  );

/** Returns the number of elements; null if it is beyond the range in which numbers are exact. */
export const elementsOf = (dims: readonly Size[]): Size | null =>
  dims.reduce<Size | null>((product, dim) => product && multiplySizes(product, dim), [1]);

/** Returns the number of elements for the longest list; infinity if it is too large for exact numbers. */
export function maxElements(dims: readonly Size[]): number {
  const elements = elementsOf(dims);
  return elements === null ? Number.POSITIVE_INFINITY : sizeAt(elements, maxCandidatesPerRun);
}

/** Returns the bytes of a tensor for the longest list. */
export const tensorBytes = ({ type, dims }: TensorInfo): number => maxElements(dims) * elementBytes[type];

/** Returns the dimensions of a constant tensor, whose sizes are numbers. */
function constantDims(dims: readonly bigint[], what: string): number[] {
  if (dims.length > modelLimits.rank)
    refuseModel(`${what} has ${dims.length} dimensions; at most ${modelLimits.rank} are supported.`);
  return dims.map((dim) => {
    if (dim < 0n || dim > BigInt(modelLimits.bytes))
      refuseModel(`${what} has a dimension of ${dim}; it must be from 0 to ${grouped(modelLimits.bytes)}.`);
    return Number(dim);
  });
}

/**
 * Returns what is known of a tensor that the file contains. Refuses one that is stored elsewhere, one whose data are
 * not exactly as many as its dimensions say, and booleans other than 0 and 1.
 */
export function constantTensor(tensor: TensorProto, what: string): TensorInfo {
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL || tensor.externalData.length > 0)
    refuseModel(`${what} is stored in another file; store weights in the model file.`);
  const type = elementTypeOf(tensor.dataType, what);
  const dims = constantDims(tensor.dims, what);
  const elements = dims.reduce((product, dim) => product * dim, 1);
  const typedData = {
    float32: tensor.floatData,
    float64: tensor.doubleData,
    int32: tensor.int32Data,
    int64: tensor.int64Data,
    bool: tensor.int32Data,
  }[type] as readonly (number | bigint)[];
  const { rawData, floatData, int32Data, int64Data, doubleData, uint64Data, stringData } = tensor;
  const isRaw = rawData.length > 0;
  const listed =
    floatData.length + int32Data.length + int64Data.length + doubleData.length + uint64Data.length;
  const present = isRaw ? rawData.length / elementBytes[type] : typedData.length;
  if (stringData.length > 0 || listed !== (isRaw ? 0 : typedData.length) || present !== elements)
    refuseModel(
      `${what} of ${grouped(elements)} ${type} elements must hold exactly as many, as raw data or as its own type; it holds ${present}.`,
    );
  // The runtime reads every other number as true, so that a followed 256 would be 1 there.
  if (type === "bool" && (isRaw ? rawData : int32Data).some((value) => value !== 0 && value !== 1))
    refuseModel(`${what} has a boolean that is not 0 or 1.`);
  const values =
    type === "float32" || type === "float64" || elements > maxFollowedValues
      ? undefined
      : (isRaw ? rawIntegers(type, rawData) : typedData).map((value) => literalSize(Number(value)));
  return {
    type,
    dims: dims.map((dim) => constantSize(dim) ?? []),
    ...(values === undefined ? {} : { values }),
  };
}

/** Returns the numbers in raw data, which is little-endian. */
function rawIntegers(type: ElementType, raw: Uint8Array): (number | bigint)[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const width = elementBytes[type];
  return Array.from({ length: raw.length / width }, (_, i) =>
    type === "int64"
      ? view.getBigInt64(i * width, true)
      : type === "int32"
        ? view.getInt32(i * width, true)
        : view.getUint8(i),
  );
}
