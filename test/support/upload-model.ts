import type { Parameters } from "../../model/network/parameters.ts";
import { createModelUpload } from "../../scripts/models/model-upload.ts";
import type { ModelRecord } from "../../shared/contracts/model.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import type { TestStack } from "./test-stack.ts";

/** Uploads a model through the API. Returns the record of the model; throws if the API refuses the upload. */
export async function uploadModel(
  stack: TestStack,
  version: string,
  weights: Parameters,
  key = "dev-admin-key",
  firstStage?: FirstStage,
): Promise<ModelRecord> {
  const response = await fetch(`${stack.url}v1/models`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: await createModelUpload(version, weights, firstStage),
  });
  const body = await response.json();
  if (response.status !== 201)
    throw new Error(`POST /v1/models failed with status ${response.status}: ${JSON.stringify(body)}`);
  return body as ModelRecord;
}
