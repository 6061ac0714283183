import type { Columns } from "../columns/columns.ts";
import { rowVectorsOf } from "../columns/row-vectors.ts";
import { engagementDecayFactors } from "../tiles/engagement.ts";
import type { RankingContext } from "./ranking-context.ts";

/** Price levels with which a price of one currency and category is compared: mean logarithms, undefined if unknown. */
export interface PriceLevels {
  /** Price after discount of all candidates, and of those of the category. */
  candidates: number | undefined;
  category: number | undefined;
  /** List price that the user usually chooses, overall and in the category. */
  usual: number | undefined;
  usualInCategory: number | undefined;
}

/** A block of candidates in one ranking, with what its rows share: computed once for all of them. */
export interface RankedBlock {
  context: RankingContext;
  block: Columns;
  /** Unit vectors of the rows. */
  vectors: Float64Array;
  /** Factors by half-life that decay the engagement of the block to now. */
  decays: readonly number[];
  /** Index of the category of each of the user's newest events in the block's strings; null until it is computed. */
  eventCategories: Int32Array | null;
  /** Features that all candidates share; null until they are computed. */
  situation: readonly number[] | null;
  /** Features of the category of a row, by the index of its name in the block's strings; filled on demand. */
  categoryValues: (Float32Array | undefined)[];
  /** By the index of the currency (the number of strings for none), then by that of the category; filled on demand. */
  priceLevels: (PriceLevels | undefined)[][];
}

/** Returns a block in a ranking. */
export const rankedBlock = (context: RankingContext, block: Columns): RankedBlock => ({
  context,
  block,
  vectors: rowVectorsOf(block),
  decays: engagementDecayFactors(block.meta.time, context.now),
  eventCategories: null,
  situation: null,
  categoryValues: [],
  priceLevels: [],
});
