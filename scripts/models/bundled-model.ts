import { readFileSync } from "node:fs";
import { join } from "node:path";
import { featureShape } from "../../model/features/compute-features.ts";
import type { Parameters } from "../../model/network/parameters.ts";
import { readParameters } from "../../model/onnx/read-parameters.ts";
import { type ModelManifest, modelManifest } from "../../shared/contracts/model.ts";
import { root } from "../workers.ts";

/** Returns the weights of the bundled model. Throws if they do not fit the current network. */
export function bundledWeights(): Parameters {
  const file = readFileSync(join(root, "model/artifacts/bundled.onnx"));
  const weights = readParameters(featureShape, new Uint8Array(file));
  if (weights === null)
    throw new Error(
      "model/artifacts/bundled.onnx does not fit the current network. Train it again: npm run bundle.",
    );
  return weights;
}

/** Returns the manifest of the bundled model. */
export const bundledManifest = (): ModelManifest =>
  modelManifest.parse(JSON.parse(readFileSync(join(root, "model/artifacts/bundled.json"), "utf8")));
