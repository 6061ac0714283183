import type { CandidateRequest, FirstStageQuery, ProductRef } from "../../shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";

/** Where sources read: tiles, of the location worker or in memory. */
export interface CandidateStore {
  /** The best `limit` products for a person's places by the cheap first stage. */
  firstStage(query: FirstStageQuery): Promise<Columns>;
  /** Named products, wherever they are; the first `withNeighbours` of them with what is often chosen next. */
  products(wanted: readonly ProductRef[], withNextProducts: number): Promise<Columns>;
}

/**
 * A candidate source: answers a block of products, the best first; null where there is nothing to ask for. It may read in
 * what earlier sources `brought`.
 */
export interface CandidateSource {
  name: string;
  find(store: CandidateStore, query: CandidateRequest, brought: readonly Columns[]): Promise<Columns | null>;
}
