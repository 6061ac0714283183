import type { ModelCalibration } from "../../shared/contracts/model.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { loadModelInNode } from "../onnx/load-model.node.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { ablations, noAblation } from "./ablation.ts";

/** A ranker as data, which can cross to another thread. */
export interface RankerFile {
  version: string;
  /** The model in ONNX. */
  bytes: Uint8Array;
  firstStage?: FirstStage;
  calibration?: ModelCalibration;
  /** Name of the ablation without whose part the model was trained; absent for the full model. */
  ablation?: string;
}

/** Returns a ranker that scores with a model in ONNX Runtime, on this thread. */
export async function loadRanker({
  version,
  bytes,
  firstStage,
  calibration,
  ablation = noAblation.name,
}: RankerFile): Promise<Ranker> {
  const { shape, removeFrom } = ablationNamed(ablation);
  const session = await loadModelInNode(bytes, shape);
  const score: Ranker["score"] = (batch) => session.run(removeFrom(batch));
  return { version, sha256: "", firstStage, calibration, score };
}

/** Returns the ablation with a name. Throws an error if there is none. */
export function ablationNamed(name: string): (typeof ablations)[number] {
  const found = [noAblation, ...ablations].find((each) => each.name === name);
  if (!found) throw new Error(`There is no ablation ${JSON.stringify(name)}.`);
  return found;
}
