import type { FirstStageQuery, ProductRef } from "../../shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";

/** Reads products for candidate sources: from the tiles of the location worker, or from tiles in memory. */
export interface CandidateStore {
  /** Returns the best `limit` products by the cheap first stage, best first. */
  firstStageCandidates(query: FirstStageQuery): Promise<Columns>;
  /**
   * Returns the `wanted` products; the first `withNextProducts` of them with their next products. `hidesSmallCounts` hides
   * what few users did.
   */
  productColumns(
    wanted: readonly ProductRef[],
    withNextProducts: number,
    hidesSmallCounts?: boolean,
  ): Promise<Columns>;
}
