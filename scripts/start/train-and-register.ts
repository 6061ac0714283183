import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readCheckpoint, writeCheckpoint, writeModel } from "../../model/cli/model-files.ts";
import { trainingProgressLine } from "../../model/cli/progress.ts";
import { readDataset } from "../../model/data/read-dataset.node.ts";
import type { ReadOptions } from "../../model/data/read-files.ts";
import { fullBudget, quickBudget, trainOnDataset } from "../../model/train/train-on-dataset.ts";
import type { ApiTarget } from "../api/send-with-retries.ts";
import { ProgressLine } from "../terminal/progress-line.ts";

const seed = 1;

/**
 * Trains a model on a dataset and makes it the serving model. Training resumes from the last checkpoint of an
 * interrupted start. The first model of an application serves as soon as it is registered; a later one is promoted. A
 * dataset with too few events for a validation leaves the bundled model serving, and says so.
 */
export async function trainAndRegister(
  dataDir: string,
  read: ReadOptions,
  effort: "quick" | "full",
  stateDir: string,
  target: ApiTarget,
): Promise<void> {
  const folder = join(stateDir, "training");
  const dataset = readDataset(dataDir, read);
  const resume = readCheckpoint(folder);
  const task = new ProgressLine(
    resume ? `Train the model (resumed after epoch ${resume.epoch})` : "Train the model",
  );
  const trained = await trainOnDataset(dataset, effort === "full" ? fullBudget : quickBudget, seed, {
    clock: () => performance.now() / 1000,
    onExamples: (done, total) => task.update(`prepared ${Math.floor((100 * done) / total)}% of the examples`),
    onProgress: (progress) => task.update(trainingProgressLine(progress)),
    onCheckpoint: (checkpoint) => writeCheckpoint(folder, checkpoint),
    resume,
    // Yields to the event loop, so that Ctrl-C works while this thread computes.
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const { ndcg, auc } = trained.validation;
  if (!Number.isFinite(ndcg) || !Number.isFinite(auc)) {
    task.done(
      `${dataset.train.length.toLocaleString("en")} events are too few to train on; the bundled model serves`,
    );
    return;
  }
  const manifest = await writeModel(folder, "model", trained.parameters, {
    dataset,
    seed,
    validation: trained.validation,
    firstStage: trained.firstStage,
    createdAt: new Date().toISOString(),
  });
  task.done(
    `trained on ${trained.lists.toLocaleString("en")} lists; validation NDCG ${ndcg.toFixed(3)}, AUC ${auc.toFixed(3)}`,
  );
  const registering = new ProgressLine("Register the model");
  const form = new FormData();
  form.set("manifest", JSON.stringify(manifest));
  form.set("model", new Blob([new Uint8Array(readFileSync(join(folder, "model.onnx")))]), "model.onnx");
  const headers = { authorization: `Bearer ${target.key}` };
  const response = await fetch(`${target.url}/v1/models`, { method: "POST", headers, body: form });
  const record = (await response.json()) as { status?: string; detail?: string };
  if (!response.ok) throw new Error(`POST /v1/models rejected the trained model: ${record.detail}`);
  if (record.status !== "serving") {
    const promoted = await fetch(`${target.url}/v1/models/${manifest.version}/promote`, {
      method: "POST",
      headers,
    });
    if (!promoted.ok)
      throw new Error(`The trained model was registered, but promoting it failed: ${await promoted.text()}`);
  }
  registering.done(`version ${manifest.version} now serves`);
}
