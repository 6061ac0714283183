import manifest from "../../../model/artifacts/bundled.json";
import bytes from "../../../model/artifacts/bundled.onnx";
import { featureShape } from "../../../model/features/compute-features.ts";
import { LoadedModels } from "./loaded-models.ts";
import { openSession } from "./open-session.ts";

/**
 * Memory of registered models, and of models on trial, in bytes each. The largest model that the inspection accepts fits
 * (twice 8 MB of weights, and 24 MB of tensors). An isolate has 128 MB.
 */
const maxModelsBytes = 40 * 1024 * 1024;

/** The registered models in this isolate's memory; each is loaded at its first use. */
export const registeredModels = new LoadedModels(openSession, featureShape, maxModelsBytes);

/** Models that are tried before they are registered. They are apart, so that no upload displaces a model that serves. */
export const trialModels = new LoadedModels(openSession, featureShape, maxModelsBytes);

/**
 * The model that is deployed with the code, loaded when the isolate starts, so that the first request does not wait.
 * Holds a refusal if the model does not fit the code; the pipeline then uses the linear scorer.
 */
export const bundledModel = await new LoadedModels(openSession, featureShape, maxModelsBytes).load(
  "",
  manifest,
  new Uint8Array(bytes),
);
