import type { ModelCalibration } from "../../shared/contracts/model.ts";
import type { CandidateBlocks, CandidateRequest, FirstStage } from "../../shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";
import type { FeatureBatch, Scores } from "../features/batch.ts";

/** Reads the candidates of a recommendation: the location service when serving, in-process code when evaluating. */
export interface CandidateService {
  gatherCandidates(request: CandidateRequest): Promise<CandidateBlocks<Columns>>;
}

/** City of the user's location; the reason why it was left out; or null without a location. */
export type LocationResolution = CandidateBlocks<Columns>["place"];

/** Scores candidates: an ONNX model, or a fallback. */
export interface Ranker {
  version: string;
  sha256: string;
  /** Multiply-adds of one run with the longest list; absent if they are not known. */
  multiplyAdds?: number;
  /** Weights of the first stage; absent for the defaults. */
  firstStage?: FirstStage;
  /** Scalings of the logits for probabilities; absent if the logits are calibrated. The score does not use them. */
  calibration?: ModelCalibration;
  score(batch: FeatureBatch): Promise<Scores>;
}
