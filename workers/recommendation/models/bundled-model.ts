import bundled from "../../../model/artifacts/bundled.json";
import { type ModelRecord, modelManifest } from "../../../shared/contracts/model.ts";

/** The manifest of the model that is deployed with the code. */
export const bundledModelManifest = modelManifest.parse(bundled);

/**
 * Returns the bundled model as a version of an application. It serves while no registered model of the application
 * does; its status is `retired` otherwise.
 */
export function bundledRecord(serves: boolean): ModelRecord {
  const { version, sha256, parent, metrics, createdAt, dataWindow } = bundledModelManifest;
  return {
    version,
    sha256,
    parent,
    metrics,
    createdAt,
    dataWindow,
    status: serves ? "serving" : "retired",
    origin: { by: "deployment", gate: null },
    promotedAt: null,
    promotedBy: null,
  };
}
