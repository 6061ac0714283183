import { readFileSync } from "node:fs";
import { join } from "node:path";
import { featureShape } from "../../model/features/compute-features.ts";
import { loadModelInNode } from "../../model/onnx/load-model.node.ts";
import { checkGolden, checkModel } from "../../model/onnx/manifest.ts";
import type { ModelSession } from "../../model/onnx/model-session.ts";
import { root } from "../../scripts/workers.ts";
import type { ModelManifest } from "../../shared/contracts/model.ts";

const file = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(join(root, "model/artifacts", name)));

/** The bytes of the model that is deployed with the code. */
export const bundledModelBytes = (): Uint8Array<ArrayBuffer> => file("bundled.onnx");

/** The bundled model in Node: its session, and what its manifest says. Throws where it does not fit the code. */
export async function openBundledModel(): Promise<{ session: ModelSession; manifest: ModelManifest }> {
  const checked = await checkModel(
    JSON.parse(new TextDecoder().decode(file("bundled.json"))),
    bundledModelBytes(),
    featureShape,
  );
  if (!checked.ok) throw new Error(`The bundled model was refused: ${checked.error.detail}`);
  const session = await loadModelInNode(bundledModelBytes(), featureShape);
  const golden = await checkGolden(checked.value, session);
  if (!golden.ok) throw new Error(`The bundled model was refused: ${golden.error.detail}`);
  return { session, manifest: checked.value };
}
