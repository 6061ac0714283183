/** Largest number of candidates that a model scores in one run. */
export const maxCandidatesPerRun = 500;

/**
 * Bounds of an uploaded model. They hold for one run with {@link maxCandidatesPerRun} candidates, and for loading the
 * file: the runtime computes at most one run of constant parts while it loads. A clock stands still while a Worker
 * computes, so work is bounded by counting it before any runtime sees the file.
 */
export const modelLimits = {
  /** Bytes of the file, which holds all weights. */
  bytes: 8 * 1024 * 1024,
  /** Fields of the protobuf messages, and values of lists that are not raw data. */
  fields: 100_000,
  /** Operators of the graph. */
  nodes: 1000,
  /** Dimensions of a tensor. */
  rank: 8,
  /** Bytes of one tensor that an operator computes. */
  tensorBytes: 8 * 1024 * 1024,
  /** Bytes of all tensors that the operators compute together. */
  totalTensorBytes: 24 * 1024 * 1024,
  /** Multiply-adds of one run; see `operators/costs.ts` for operators that do not multiply matrices. */
  multiplyAdds: 100_000_000,
} as const;

/** A number as text with thousands separators. */
export const grouped = (count: number): string => Math.round(count).toLocaleString("en");
