import manifest from "../../../model/artifacts/bundled.json";
import bytes from "../../../model/artifacts/bundled.onnx";
import { featureShape } from "../../../model/features/compute-features.ts";
import { LoadedModels } from "./loaded-models.ts";
import type { ModelMemoryBounds } from "./model-memory.ts";
import { openSession } from "./open-session.ts";

const megabyte = 1024 * 1024;

/**
 * Memory for models, in bytes. The largest file that the inspection accepts (8 MB, which takes 20.5) fits among the
 * registered ones, and 37 of the size of the bundled model. The runtime's WebAssembly memory holds these models, the
 * tensors of one run (at most 24 MB) and 4 MB of its own. It grows in steps of a fifth and never shrinks. An isolate has 128
 * MB.
 */
const bounds: ModelMemoryBounds = { maxRegistered: 24 * megabyte, maxTotal: 32 * megabyte };

/** The models of applications in this isolate's memory; each is loaded at its first use. */
export const applicationModels = new LoadedModels(openSession, featureShape, bounds);

/**
 * The model that is deployed with the code, loaded when the isolate starts, so that the first request does not wait.
 * Holds a refusal if the model does not fit the code; the pipeline then uses the linear scorer.
 */
export const bundledModel = await new LoadedModels(openSession, featureShape, bounds).load(
  "",
  manifest,
  new Uint8Array(bytes),
  "serving",
);
