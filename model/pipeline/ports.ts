import type { CandidateQuery, FirstStage, Wanted } from "../../workers/shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";
import type { FeatureBatch, Scores } from "../features/batch.ts";

/** Where the pipeline reads places: the location service, or the same code in memory when evaluating. */
export interface Places {
  /** The best `limit` products for a person's places by the cheap first stage. */
  candidates(query: CandidateQuery): Promise<Columns>;
  /** Named products, wherever they are; the first `withNeighbours` of them with what is often chosen next. */
  columns(wanted: readonly Wanted[], withNeighbours: number): Promise<Columns>;
}

/** What orders candidates: the ONNX model, or what stands in for it. */
export interface Ranker {
  version: string;
  sha256: string;
  /** How the first stage weighs what is near; absent for its defaults. */
  firstStage?: FirstStage;
  score(batch: FeatureBatch): Promise<Scores>;
}
