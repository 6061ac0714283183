import type { CandidateBlocks, CandidateRequest, FirstStage } from "../../shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";
import type { FeatureBatch, Scores } from "../features/batch.ts";

/** Where the pipeline reads places: the location service, or the same code in memory when evaluating. */
export interface CandidateService {
  gather(query: CandidateRequest): Promise<CandidateBlocks<Columns>>;
}

/** Names of where the person is, as {@link CandidateService} know them. */
export type ResolvedNames = CandidateBlocks<Columns>["place"];

/** What orders candidates: the ONNX model, or what stands in for it. */
export interface Ranker {
  version: string;
  sha256: string;
  /** How the first stage weighs what is near; absent for its defaults. */
  firstStage?: FirstStage;
  score(batch: FeatureBatch): Promise<Scores>;
}
