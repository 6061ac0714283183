import type { RankedBlock } from "../ranked-block.ts";

/** How the candidate sources found a candidate. */
export interface CandidateTrace {
  /** 1 for the first row of the source `near`, falling with the rank; 0 if this source did not find the candidate. */
  near: number;
  /** Number of sources that found the candidate. */
  sources: number;
}

/**
 * A family of dense features of a candidate, which is row `row` of the block of `of`. `fill` writes one number for each name to
 * `out` from `at`. Values lie within about -5..5. An unknown value is 0, and has an indicator feature of its own.
 */
export interface FeatureFamily {
  names: readonly string[];
  fill(of: RankedBlock, row: number, trace: CandidateTrace, out: Float32Array, at: number): void;
}
