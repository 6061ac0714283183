import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readCheckpoint, writeCheckpoint, writeModel } from "../../model/cli/artifact.ts";
import { trainingProgressLine } from "../../model/cli/progress.ts";
import { readDataset } from "../../model/data/read.node.ts";
import { fullBudget, quickBudget, trainOnDataset } from "../../model/train/fit.ts";
import type { ApiTarget } from "../api/send-with-retries.ts";
import { ProgressLine } from "../terminal/terminal.ts";

/**
 * Trains on a dataset, resuming where an earlier start stopped, and registers the model: an application's first serves at
 * once, a later one is promoted.
 */
export async function trainAndRegister(
  dataDir: string,
  effort: "quick" | "full",
  stateDir: string,
  target: ApiTarget,
): Promise<void> {
  const folder = join(stateDir, "training");
  const dataset = readDataset(dataDir);
  const resume = readCheckpoint(folder);
  const task = new ProgressLine(resume ? `training, resumed after epoch ${resume.epoch}` : "training");
  const trained = await trainOnDataset(dataset, effort === "full" ? fullBudget : quickBudget, 1, {
    clock: () => performance.now() / 1000,
    onExamples: (done, total) => task.update(`examples ${Math.floor((100 * done) / total)}%`),
    onProgress: (each) => task.update(trainingProgressLine(each)),
    onCheckpoint: (checkpoint) => writeCheckpoint(folder, checkpoint),
    resume,
    // A signal to end must be heard while this thread computes.
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const manifest = await writeModel(folder, "model", trained.parameters, {
    dataset,
    seed: 1,
    validation: trained.validation,
    firstStage: trained.firstStage,
    createdAt: new Date().toISOString(),
  });
  task.done(
    `${trained.lists.toLocaleString("en")} lists, validation NDCG ${trained.validation.ndcg.toFixed(3)}, AUC ${trained.validation.auc.toFixed(3)}`,
  );
  const registering = new ProgressLine("model");
  const form = new FormData();
  form.set("manifest", JSON.stringify(manifest));
  form.set("model", new Blob([new Uint8Array(readFileSync(join(folder, "model.onnx")))]), "model.onnx");
  const headers = { authorization: `Bearer ${target.key}` };
  const answer = await fetch(`${target.url}/v1/models`, { method: "POST", headers, body: form });
  const record = (await answer.json()) as { status?: string; detail?: string };
  if (!answer.ok) throw new Error(`The model was refused: ${record.detail}`);
  if (record.status !== "serving") {
    const promoted = await fetch(`${target.url}/v1/models/${manifest.version}/promote`, {
      method: "POST",
      headers,
    });
    if (!promoted.ok) throw new Error(`The model was not promoted: ${await promoted.text()}`);
  }
  registering.done(`${manifest.version} serves`);
}
