import bundled from "../../../model/artifacts/bundled.json";
import { type ModelRecord, modelManifest } from "../../../shared/contracts/model.ts";

/** What is said of the model that is deployed with the code. */
export const deployedManifest = modelManifest.parse(bundled);

/** It as a version of an application, which it serves until the application has a model of its own that does. */
export function deployedRecord(serves: boolean): ModelRecord {
  const { version, sha256, parent, metrics, createdAt, dataWindow } = deployedManifest;
  return {
    ...{ version, sha256, parent, metrics, createdAt, dataWindow },
    status: serves ? "serving" : "retired",
    origin: { by: "deployment", gate: null },
    promotedAt: null,
    promotedBy: null,
  };
}
