import manifest from "../../../model/artifacts/bundled.json";
import bytes from "../../../model/artifacts/bundled.onnx";
import { featureShape } from "../../../model/features/compute-features.ts";
import { LoadedModels } from "./loaded-models.ts";
import { openSession } from "./open-session.ts";

/**
 * Maximum number of registered models in memory. Each takes its weights and a session of the runtime. The bundled
 * model is extra.
 */
const maxRegisteredModels = 3;

/** The registered models in this isolate's memory; each is loaded at its first use. */
export const registeredModels = new LoadedModels(openSession, featureShape, maxRegisteredModels);

/**
 * The model that is deployed with the code, loaded when the isolate starts, so that the first request does not wait.
 * Holds a refusal if the model does not fit the code; the pipeline then uses the linear scorer.
 */
export const bundledModel = await new LoadedModels(openSession, featureShape, 1).load(
  manifest,
  new Uint8Array(bytes),
);
