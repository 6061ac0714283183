import manifest from "../../../model/artifacts/bundled.json";
import bytes from "../../../model/artifacts/bundled.onnx";
import { featureShape } from "../../../model/features/compute.ts";
import { LoadedModels } from "./loaded-models.ts";
import { openSession } from "./runtime.ts";

/** Each holds its weights and the runtime's plan for them; the bundled model has its own place. */
const maxRegistered = 3;

/** Models that applications have registered: loaded when first wanted. */
export const registeredModels = new LoadedModels(openSession, featureShape, maxRegistered);

/**
 * The model that is deployed with the code, ready when the isolate is: the first request pays nothing. A refusal, with
 * its reason, where it does not fit the code; the pipeline then goes on with the linear scorer.
 */
export const bundledModel = await new LoadedModels(openSession, featureShape, 1).load(
  manifest,
  new Uint8Array(bytes),
);
