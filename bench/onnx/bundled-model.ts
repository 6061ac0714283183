import { readFileSync } from "node:fs";
import { join } from "node:path";
import { featureShape } from "../../model/features/compute-features.ts";
import { checkGoldenVectors, checkModel } from "../../model/onnx/check-model.ts";
import { loadModelInNode } from "../../model/onnx/load-model.node.ts";
import type { ModelSession } from "../../model/onnx/model-session.ts";
import { root } from "../../scripts/workers.ts";
import type { ModelManifest } from "../../shared/contracts/model.ts";

const file = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(join(root, "model/artifacts", name)));

/** Returns the bytes of the bundled model. */
export const bundledModelBytes = (): Uint8Array<ArrayBuffer> => file("bundled.onnx");

/** Opens the bundled model in Node. Returns its session and manifest; throws if the model does not fit the code. */
export async function openBundledModel(): Promise<{ session: ModelSession; manifest: ModelManifest }> {
  const checked = await checkModel(
    JSON.parse(new TextDecoder().decode(file("bundled.json"))),
    bundledModelBytes(),
    featureShape,
  );
  if (!checked.ok) throw new Error(`The bundled model does not fit the code: ${checked.error.detail}`);
  const session = await loadModelInNode(bundledModelBytes(), featureShape);
  const golden = await checkGoldenVectors(checked.value, session);
  if (!golden.ok) throw new Error(`The bundled model does not fit the code: ${golden.error.detail}`);
  return { session, manifest: checked.value };
}
