import type { Columns } from "../../columns/columns.ts";
import type { RankingContext } from "../ranking-context.ts";

/** Where a candidate was found: ranks within its sources, 0 for "not there". */
export interface CandidateTrace {
  /** 1 / rank in the list of what is near. */
  near: number;
  /** Sources that named it. */
  sources: number;
}

/**
 * A family of dense features of a candidate: row `row` of `block`, written to `out` from `at`, one number for
 * each name. Values lie within about -5..5; an absent value is 0 beside its own indicator.
 */
export interface FeatureFamily {
  names: readonly string[];
  fill(
    context: RankingContext,
    block: Columns,
    row: number,
    trace: CandidateTrace,
    out: Float32Array,
    at: number,
  ): void;
}
