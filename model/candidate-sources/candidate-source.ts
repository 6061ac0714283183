import type { CandidateRequest } from "../../shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";
import type { CandidateStore } from "./candidate-store.ts";

/**
 * A candidate source. `find` returns a block of products, best first; null if the request asks nothing of this source.
 * `earlierBlocks` are the blocks that earlier sources found.
 */
export interface CandidateSource {
  name: string;
  find(
    store: CandidateStore,
    request: CandidateRequest,
    earlierBlocks: readonly Columns[],
  ): Promise<Columns | null>;
}
