import { rangeOf } from "./position-ranges.ts";

/** How often users look at a position, relative to the first one, by range of positions. */
export interface Examination {
  examined: Float64Array;
  /** Standard deviation of the logarithm of each, after the log is seen; 0 for the first position. */
  errors: Float64Array;
}

/** Returns how often users look at a position (from 1), relative to the first one. */
export const examinedAt = ({ examined }: Pick<Examination, "examined">, position: number): number =>
  examined[rangeOf(position)];
